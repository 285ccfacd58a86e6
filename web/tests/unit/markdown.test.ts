// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { renderMarkdown } from "../../src/markdown.ts";

function render(...chunks: string[]): HTMLElement {
  const root = document.createElement("div");
  const stream = renderMarkdown(root);
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  return root;
}

function plainText(...chunks: string[]): string {
  let heard = "";
  const stream = renderMarkdown(document.createElement("div"), (text) => {
    heard += text;
  });
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  return heard;
}

const SAMPLE = [
  "# Colours",
  "",
  "Some **bold**, *soft* and ~~gone~~ `code`.",
  "",
  "- red",
  "- green",
  "",
  "1. one",
  "2. two",
  "",
  "> quoted",
  "",
  "```rust",
  "fn main() {}",
  "```",
  "",
  "| a | b |",
  "|---|---|",
  "| 1 | 2 |",
  "| 3 | 4 |",
  "",
  "The [end](https://example.com/).",
].join("\n");

describe("a reply's Markdown", () => {
  it("becomes elements, its headings below the page's own", () => {
    expect(render(SAMPLE).innerHTML).toMatchInlineSnapshot(
      `"<h3>Colours</h3><p>Some <strong>bold</strong>, <em>soft</em> and <s>gone</s> <code>code</code>.</p><ul><li>red</li><li>green</li></ul><ol><li>one</li><li>two</li></ol><blockquote><p>quoted</p></blockquote><pre><code>fn main() {}</code></pre><table><thead><tr><th> a </th><th> b </th></tr></thead><tbody><tr><td> 1 </td><td> 2 </td></tr><tr><td> 3 </td><td> 4 </td></tr></tbody></table><p>The <a href="https://example.com/" target="_blank" rel="noopener noreferrer nofollow">end</a>.</p>"`,
    );
  });

  it("is the same wherever it is cut", () => {
    const whole = render(SAMPLE).innerHTML;
    for (let at = 1; at < SAMPLE.length; at += 1) {
      expect(render(SAMPLE.slice(0, at), SAMPLE.slice(at)).innerHTML, `cut at ${at}`).toBe(whole);
    }
    expect(render(...SAMPLE).innerHTML).toBe(whole);
  });

  it("only ever adds to what is there", () => {
    const root = document.createElement("div");
    const stream = renderMarkdown(root);
    let before = "";
    for (const char of SAMPLE) {
      stream.write(char);
      const now = root.textContent ?? "";
      expect(now.startsWith(before)).toBe(true);
      before = now;
    }
  });

  it("is heard as plain text, block by block", () => {
    expect(plainText("# Hi\n\nSome **bold** text.\n\n- red\n- green")).toBe(
      "Hi\nSome bold text.\nred\ngreen\n",
    );
  });

  it("cannot bring markup of its own", () => {
    const root = render("<script>alert(1)</script><img src=x onerror=alert(1)>");
    expect(root.querySelector("script, img")).toBeNull();
    expect(root.textContent).toContain("<script>");
  });

  it("survives any nesting", () => {
    for (const mark of ["> ", ">", "- ", "1. ", "**_", "[", "`", "#", "|", "$$", "  - "]) {
      const root = render(...mark.repeat(200), "end\n\nafter");
      expect(root.textContent, `nested ${mark}`).toContain("after");
    }
  });
});

describe("a link in a reply", () => {
  it.each(["https://example.com/a?b=c", "http://example.com/", "HTTPS://example.com/"])(
    "to %s opens elsewhere and tells nothing of this page",
    (target) => {
      const link = render(`[here](${target})`).querySelector("a");
      expect(link?.getAttribute("href")).toBe(target);
      expect(link?.rel).toContain("noopener");
      expect(link?.rel).toContain("noreferrer");
      expect(link?.target).toBe("_blank");
    },
  );

  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "//example.com/",
    "/api/chat?message=hi",
    "https://",
  ])("to %s goes nowhere", (target) => {
    const root = render(`[here](${target})`);
    expect(root.querySelector("a[href]")).toBeNull();
    expect(root.textContent).toContain("here");
  });

  it("may be a bare address", () => {
    const link = render("See https://example.com/x now.").querySelector("a");
    expect(link?.getAttribute("href")).toBe("https://example.com/x");
  });

  it("stands for an image, which is never loaded", () => {
    const root = render("![a cat](https://example.com/cat.png?q=secret)");
    expect(root.querySelector("img")).toBeNull();
    expect(root.querySelector("a")?.textContent).toBe("a cat");
  });
});
