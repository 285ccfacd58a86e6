/** Creates an element with a class and children: the page builds its DOM without any markup strings. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  if (className !== "") created.className = className;
  created.append(...children);
  return created;
}

/** An element that index.html is known to have; its absence is a mistake in this package. */
export function required<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind))
    throw new Error(`index.html has no ${kind.name} with the id "${id}"`);
  return found;
}
