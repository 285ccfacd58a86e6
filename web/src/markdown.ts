import * as smd from "streaming-markdown";

export interface MarkdownStream {
  /** Text as it comes, cut anywhere. */
  write(text: string): void;
  /** To be called once, when no more text comes. */
  end(): void;
}

/** Told the plain text of what is rendered, a line break after each block, for those who listen. */
export type PlainTextSink = (text: string) => void;

/**
 * Renders Markdown into `root` while it comes. Nodes are only ever added, so nothing flickers and a
 * reader's selection survives; text only ever becomes text nodes, so a reply cannot bring markup.
 *
 * A reply is untrusted: links go to http(s) only, and an image is a link, since loading one would tell
 * its host what was said (an address can carry the conversation).
 */
export function renderMarkdown(root: HTMLElement, plainText?: PlainTextSink): MarkdownStream {
  let node = root;
  const parser = smd.parser({
    data: undefined,
    add_token: (_, token) => {
      node = open(node, token);
    },
    end_token: () => {
      if (BLOCKS.has(node.localName)) plainText?.("\n");
      if (node !== root) node = close(node);
    },
    add_text: (_, text) => {
      node.append(text);
      plainText?.(text);
    },
    set_attr: (_, attribute, value) => setAttribute(node, attribute, value),
  });
  return {
    write: (text) => smd.parser_write(parser, text),
    end: () => {
      smd.parser_end(parser);
      plainText?.("\n");
    },
  };
}

/** Headings start at the third level: the page's title and the turns take the first two. */
const TAGS: ReadonlyMap<smd.Token, string> = new Map<smd.Token, string>([
  [smd.PARAGRAPH, "p"],
  [smd.HEADING_1, "h3"],
  [smd.HEADING_2, "h4"],
  [smd.HEADING_3, "h5"],
  [smd.HEADING_4, "h6"],
  [smd.HEADING_5, "h6"],
  [smd.HEADING_6, "h6"],
  [smd.CODE_BLOCK, "code"],
  [smd.CODE_FENCE, "code"],
  [smd.CODE_INLINE, "code"],
  [smd.ITALIC_AST, "em"],
  [smd.ITALIC_UND, "em"],
  [smd.STRONG_AST, "strong"],
  [smd.STRONG_UND, "strong"],
  [smd.STRIKE, "s"],
  [smd.LINK, "a"],
  [smd.RAW_URL, "a"],
  [smd.IMAGE, "a"],
  [smd.BLOCKQUOTE, "blockquote"],
  [smd.LINE_BREAK, "br"],
  [smd.RULE, "hr"],
  [smd.LIST_UNORDERED, "ul"],
  [smd.LIST_ORDERED, "ol"],
  [smd.LIST_ITEM, "li"],
  [smd.CHECKBOX, "input"],
  [smd.TABLE, "table"],
  [smd.TABLE_ROW, "tr"],
  [smd.TABLE_CELL, "td"],
]);

const BLOCKS: ReadonlySet<string> = new Set([
  "p",
  "h3",
  "h4",
  "h5",
  "h6",
  "li",
  "tr",
  "td",
  "th",
  "br",
  "blockquote",
]);

function open(parent: HTMLElement, token: smd.Token): HTMLElement {
  if (token === smd.DOCUMENT) return parent;
  const child = document.createElement(tagFor(parent, token));
  parentFor(parent, token).append(child);
  if (child instanceof HTMLInputElement) {
    child.type = "checkbox";
    child.disabled = true;
  }
  return child;
}

function tagFor(parent: HTMLElement, token: smd.Token): string {
  if (token === smd.TABLE_CELL && parent.parentElement?.localName === "thead") return "th";
  return TAGS.get(token) ?? "span";
}

/** Code and table rows sit in an element more than the parser speaks of. */
function parentFor(parent: HTMLElement, token: smd.Token): HTMLElement {
  if (token === smd.CODE_BLOCK || token === smd.CODE_FENCE) {
    return appendNew(parent, "pre");
  }
  if (token === smd.TABLE_ROW) {
    const body = parent.querySelector<HTMLElement>(":scope > tbody");
    if (body !== null) return body;
    return appendNew(parent, parent.childElementCount === 0 ? "thead" : "tbody");
  }
  return parent;
}

function appendNew(parent: HTMLElement, tag: string): HTMLElement {
  const child = document.createElement(tag);
  parent.append(child);
  return child;
}

function close(node: HTMLElement): HTMLElement {
  const parent = node.parentElement ?? node;
  return WRAPPERS.has(parent.localName) ? (parent.parentElement ?? parent) : parent;
}

const WRAPPERS: ReadonlySet<string> = new Set(["pre", "thead", "tbody"]);

function setAttribute(node: HTMLElement, attribute: smd.Attr, value: string): void {
  switch (attribute) {
    case smd.HREF:
    case smd.SRC:
      if (node instanceof HTMLAnchorElement) setTarget(node, value);
      return;
    case smd.START:
      node.setAttribute("start", value);
      return;
    case smd.CHECKED:
      node.setAttribute("checked", "");
      return;
  }
}

function setTarget(link: HTMLAnchorElement, value: string): void {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return;
  link.href = value;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
}
