import type { Plugin } from "vite";

/** In development every page address answers with `console.html`, as the server does in production. */
export function devPages(isApiPath: (path: string) => boolean): Plugin {
  return {
    name: "tidemill-dev-pages",
    apply: "serve",
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        const path = (request.url ?? "/").split("?")[0] ?? "/";
        const isPage = request.method === "GET" && request.headers.accept?.includes("text/html") === true;
        const isFile = /\.[a-z0-9]+$/i.test(path) || path.startsWith("/@");
        if (isPage && !isFile && !isApiPath(path)) request.url = "/console.html";
        next();
      });
    },
  };
}
