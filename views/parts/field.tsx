import type { Child } from '../jsx-runtime.ts'
import { Notice } from './notice.tsx'

/** What a form was sent with and why it was refused. `errors.form` is what belongs to no single field. */
export type FormState = { values?: Readonly<Record<string, string>>; errors?: Readonly<Record<string, string>> }

/** Ids must be unique on a page with several forms, hence the scope. */
type Common = {
  name: string
  label: Child
  hint?: Child
  form?: FormState | undefined
  scope?: string | undefined
  optional?: boolean | undefined
}

const idOf = (p: { name: string; scope?: string | undefined }) => `${p.scope ?? 'field'}-${p.name.replaceAll('.', '-')}`
const errorOf = (p: Common) => p.form?.errors?.[p.name]
const described = (p: Common) => {
  const ids = [p.hint && `${idOf(p)}-hint`, errorOf(p) && `${idOf(p)}-error`].filter(Boolean).join(' ')
  return { 'aria-describedby': ids || undefined, 'aria-invalid': errorOf(p) ? 'true' : undefined }
}

export const FieldError = (p: { id?: string | undefined; children: Child }) => (
  <p class="field-error" id={p.id}>
    {p.children}
  </p>
)

const Frame = (p: Common & { children: Child }) => (
  <div class={`field${errorOf(p) ? ' field-invalid' : ''}`}>
    <label for={idOf(p)}>
      {p.label}
      {p.optional && <span class="optional">optional</span>}
    </label>
    {p.children}
    {p.hint && (
      <p class="hint" id={`${idOf(p)}-hint`}>
        {p.hint}
      </p>
    )}
    {errorOf(p) && <FieldError id={`${idOf(p)}-error`}>{errorOf(p)}</FieldError>}
  </div>
)

export const TextField = (
  p: Common & {
    type?: 'text' | 'url' | 'password' | 'number' | 'date' | 'time' | undefined
    value?: string | undefined
    placeholder?: string | undefined
    autocomplete?: string | undefined
    required?: boolean | undefined
    autofocus?: boolean | undefined
    mono?: boolean | undefined
    lengthMin?: number | undefined
    lengthMax?: number | undefined
    min?: number | undefined
    max?: number | undefined
  },
) => (
  <Frame {...p}>
    <input
      id={idOf(p)}
      class={p.mono ? 'mono' : undefined}
      name={p.name}
      type={p.type ?? 'text'}
      // A password is never sent back to the page, not even the one that was just refused.
      value={p.type === 'password' ? undefined : (p.form?.values?.[p.name] ?? p.value)}
      placeholder={p.placeholder}
      autocomplete={p.autocomplete ?? 'off'}
      required={p.required}
      autofocus={p.autofocus}
      minlength={p.lengthMin}
      maxlength={p.lengthMax}
      min={p.min}
      max={p.max}
      spellcheck={p.mono || p.type === 'password' ? 'false' : undefined}
      autocapitalize={p.mono || p.autocomplete === 'username' ? 'none' : undefined}
      {...described(p)}
    />
  </Frame>
)

export const TextArea = (
  p: Common & {
    value?: string | undefined
    placeholder?: string | undefined
    rows?: number | undefined
    mono?: boolean | undefined
    lengthMax?: number | undefined
  },
) => (
  <Frame {...p}>
    <textarea
      id={idOf(p)}
      class={p.mono ? 'mono' : undefined}
      name={p.name}
      rows={p.rows ?? 3}
      placeholder={p.placeholder}
      maxlength={p.lengthMax}
      spellcheck={p.mono ? 'false' : undefined}
      {...described(p)}
    >
      {/* A browser drops the first line break of a textarea; this one is there to be dropped. */}
      {'\n'}
      {p.form?.values?.[p.name] ?? p.value ?? ''}
    </textarea>
  </Frame>
)

/** Tells password managers whose password a form is about, where no username is asked for. */
export const PasswordOf = (p: { username: string }) => (
  <input type="text" name="username" value={p.username} autocomplete="username" readonly={true} hidden={true} />
)

export type Option = { value: string; label: string; hint?: string | undefined; disabled?: boolean | undefined }

export const SelectField = (p: Common & { options: readonly Option[]; value?: string | undefined }) => {
  const chosen = p.form?.values?.[p.name] ?? p.value
  return (
    <Frame {...p}>
      <select id={idOf(p)} name={p.name} {...described(p)}>
        {p.options.map((option) => (
          <option value={option.value} selected={option.value === chosen} disabled={option.disabled}>
            {option.label}
          </option>
        ))}
      </select>
    </Frame>
  )
}

/** A few choices that deserve a sentence each. `inline` sets them side by side, for short ones. */
export const RadioField = (p: Common & { options: readonly Option[]; value?: string | undefined; inline?: boolean | undefined }) => {
  const chosen = p.form?.values?.[p.name] ?? p.value
  return (
    <fieldset class={`field radios${p.inline ? ' radios-inline' : ''}`} {...described(p)}>
      <legend>{p.label}</legend>
      <div class="radios-list">
        {p.options.map((option) => (
          <label class="radio">
            <input type="radio" name={p.name} value={option.value} checked={option.value === chosen} disabled={option.disabled} />
            <span>
              <span class="radio-label">{option.label}</span>
              {option.hint && <span class="hint">{option.hint}</span>}
            </span>
          </label>
        ))}
      </div>
      {p.hint && (
        <p class="hint" id={`${idOf(p)}-hint`}>
          {p.hint}
        </p>
      )}
      {errorOf(p) && <FieldError id={`${idOf(p)}-error`}>{errorOf(p)}</FieldError>}
    </fieldset>
  )
}

/** `attributes` are whatever else the input needs (a value, figures for the live recount). */
export const Switch = (p: { name: string; on: boolean; attributes: Readonly<Record<string, unknown>> }) => (
  // biome-ignore lint/a11y/useAriaPropsForRole: a checkbox tells its state by itself, and aria-checked must not stand on one
  <input class="switch" type="checkbox" role="switch" name={p.name} checked={p.on} {...p.attributes} />
)

export const SwitchField = (p: Common & { on: boolean }) => (
  <div class="field">
    <label class="switch-line" for={idOf(p)}>
      <Switch name={p.name} on={p.on} attributes={{ id: idOf(p), value: 'on', ...described(p) }} />
      <span>{p.label}</span>
    </label>
    {p.hint && (
      <p class="hint" id={`${idOf(p)}-hint`}>
        {p.hint}
      </p>
    )}
    {errorOf(p) && <FieldError id={`${idOf(p)}-error`}>{errorOf(p)}</FieldError>}
  </div>
)

/** What belongs to no single field, above the form's first one. */
export const FormProblem = (p: { form?: FormState | undefined }) =>
  p.form?.errors?.form ? (
    <Notice tone="danger" alert={true}>
      {p.form.errors.form}
    </Notice>
  ) : (
    <></>
  )
