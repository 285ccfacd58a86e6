import { defineConfig } from "vite";
import { webAppManifest } from "./web-app-manifest.ts";

// The server sends `/` itself and everything else from `/assets/` with hashed names and a year of
// caching, under a policy that allows no inline script or style. What is set here keeps the build so.
export default defineConfig({
  plugins: [webAppManifest()],
  build: {
    target: "es2022",
    // A `data:` favicon or an inlined module would leave `/assets/`.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
  server: {
    proxy: { "/api": "http://localhost:3000" },
  },
});
