/** Our mark: a ticket, torn on the left, that ends in the two pins of a plug, with a keyhole in it. */
export const Logo = () => (
  <svg class="logo" viewBox="0 0 32 32" width="24" height="24" aria-hidden="true" focusable="false">
    <path class="logo-body" d="M6 6h15a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4H6a4 4 0 0 1-4-4v-2.6a3.5 3.5 0 0 0 0-6.8V10a4 4 0 0 1 4-4Z" />
    <rect class="logo-body" x="24" y="10.5" width="7" height="3" rx="1.5" />
    <rect class="logo-body" x="24" y="18.5" width="7" height="3" rx="1.5" />
    <path class="logo-hole" d="M15 10.6a3.1 3.1 0 0 1 1.5 5.8l.9 4.4a.5.5 0 0 1-.5.6h-3.8a.5.5 0 0 1-.5-.6l.9-4.4a3.1 3.1 0 0 1 1.5-5.8Z" />
  </svg>
)

export const Brand = () => (
  <span class="brand">
    <Logo />
    <span class="brand-name">Toolpass</span>
  </span>
)
