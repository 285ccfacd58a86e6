import { readFile } from "node:fs/promises";
import type { Plugin } from "vite";

/**
 * Emits the web app manifest and its icon under `/assets/` with hashed names. Vite hashes a manifest
 * that a page links to, but not the icons named inside it.
 */
export function webAppManifest(): Plugin {
  let manifestUrl = "";
  return {
    name: "web-app-manifest",
    apply: "build",
    // Before Vite's own HTML plugin, which asks for the tags in its `generateBundle`.
    enforce: "pre",
    async generateBundle() {
      const icon = this.emitFile({
        type: "asset",
        name: "icon.svg",
        source: await readFile(new URL("src/icon.svg", import.meta.url)),
      });
      const manifest = this.emitFile({
        type: "asset",
        name: "bro-buddy.webmanifest",
        source: JSON.stringify({
          name: "Bro-Buddy",
          short_name: "Bro-Buddy",
          start_url: "/",
          display: "standalone",
          background_color: "#f6f2e9",
          theme_color: "#f6f2e9",
          icons: [
            {
              src: `/${this.getFileName(icon)}`,
              type: "image/svg+xml",
              sizes: "any",
            },
          ],
        }),
      });
      manifestUrl = `/${this.getFileName(manifest)}`;
    },
    transformIndexHtml() {
      return [
        {
          tag: "link",
          attrs: { rel: "manifest", href: manifestUrl },
          injectTo: "head",
        },
      ];
    },
  };
}
