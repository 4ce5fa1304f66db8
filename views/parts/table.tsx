/** The head of the column that holds buttons: a screen reader names it, nobody else needs a word for it. */
export const ActionsHead = () => (
  <th scope="col">
    <span class="hidden-text">Actions</span>
  </th>
)
