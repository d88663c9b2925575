import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { z } from "zod/mini";
import { appQuery } from "@/features/apps";
import { meQuery } from "@/features/auth";
import { setupQuery } from "@/features/setup";
import { sitePath } from "@/shared/api/client";
import { isUnauthorized } from "@/shared/api/problem";
import { NotFound } from "./NotFound";
import { createQueryClient } from "./queryClient";
import { RouteError } from "./RouteError";
import { RoutePending } from "./RoutePending";

type Context = { queryClient: QueryClient };

const root = createRootRouteWithContext<Context>()({ component: Outlet, notFoundComponent: NotFound });

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  validateSearch: z.object({ step: z.optional(z.enum(["account", "model", "app"])) }),
  beforeLoad: async ({ context, search }) => {
    const state = await context.queryClient.ensureQueryData(setupQuery);
    const isFirstStep = (search.step ?? "account") === "account";
    if (state.is_done && isFirstStep) throw redirect({ to: "/apps" });
    if (!state.is_done && !isFirstStep) throw redirect({ to: "/setup", search: {} });
    if (state.is_done) await requireMe(context.queryClient, "/apps");
  },
  component: lazyRouteComponent(() => import("@/features/setup/SetupPage"), "SetupPage"),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/signin",
  validateSearch: z.object({ next: z.optional(z.string()) }),
  beforeLoad: async ({ context }) => {
    const state = await context.queryClient.ensureQueryData(setupQuery);
    if (!state.is_done) throw redirect({ to: "/setup" });
  },
  component: lazyRouteComponent(() => import("@/features/auth/SignInPage"), "SignInPage"),
});

const form = createRoute({
  getParentRoute: () => root,
  path: "/form/$token",
  component: lazyRouteComponent(() => import("@/features/humans/FormPage"), "FormPage"),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  beforeLoad: async ({ context, location }) => {
    const state = await context.queryClient.ensureQueryData(setupQuery);
    if (!state.is_done) throw redirect({ to: "/setup" });
    await requireMe(context.queryClient, location.href);
  },
  component: lazyRouteComponent(() => import("./Shell"), "Shell"),
});

async function requireMe(client: QueryClient, next: string): Promise<void> {
  try {
    await client.ensureQueryData(meQuery);
  } catch (error) {
    if (!isUnauthorized(error)) throw error;
    throw redirect({ to: "/signin", search: { next } });
  }
}

const home = createRoute({
  getParentRoute: () => signedIn,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/apps" });
  },
});

const apps = createRoute({
  getParentRoute: () => signedIn,
  path: "/apps",
  validateSearch: z.object({ query: z.optional(z.string()) }),
  component: lazyRouteComponent(() => import("@/features/apps/AppsPage"), "AppsPage"),
});

const app = createRoute({
  getParentRoute: () => signedIn,
  path: "/apps/$appId",
  loader: ({ context, params }) => context.queryClient.ensureQueryData(appQuery(params.appId)),
  component: lazyRouteComponent(() => import("@/features/apps/page/AppPage"), "AppPage"),
});
const appTalk = createRoute({
  getParentRoute: () => app,
  path: "/",
  validateSearch: z.object({ conversation: z.optional(z.string()) }),
  component: lazyRouteComponent(() => import("@/features/apps/page/TalkTab"), "TalkTab"),
});
const appCanvas = createRoute({
  getParentRoute: () => app,
  path: "/canvas",
  validateSearch: z.object({ node: z.optional(z.string()), run: z.optional(z.string()) }),
  component: lazyRouteComponent(() => import("@/features/apps/page/CanvasTab"), "CanvasTab"),
});
const appRuns = createRoute({
  getParentRoute: () => app,
  path: "/runs",
  validateSearch: z.object({ run: z.optional(z.string()), node: z.optional(z.string()) }),
  component: lazyRouteComponent(() => import("@/features/apps/page/RunsTab"), "RunsTab"),
});
const appAccess = createRoute({
  getParentRoute: () => app,
  path: "/api",
  component: lazyRouteComponent(() => import("@/features/apps/access/AccessTab"), "AccessTab"),
});

const settingsHome = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings",
  beforeLoad: () => {
    throw redirect({ to: "/settings/models" });
  },
});
const models = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/models",
  validateSearch: z.object({ provider: z.optional(z.string()) }),
  component: lazyRouteComponent(() => import("@/features/model-providers/ModelsPage"), "ModelsPage"),
});
const appearance = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/appearance",
  component: lazyRouteComponent(() => import("@/features/settings/AppearancePage"), "AppearancePage"),
});
const system = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/system",
  component: lazyRouteComponent(() => import("@/features/settings/SystemPage"), "SystemPage"),
});

export const queryClient = createQueryClient(() => {
  const { pathname, href } = router.state.location;
  queryClient.removeQueries({ queryKey: meQuery.queryKey });
  if (pathname !== "/signin") void router.navigate({ to: "/signin", search: { next: href } });
});

export const router = createRouter({
  routeTree: root.addChildren([
    setup,
    signIn,
    form,
    signedIn.addChildren([
      home,
      apps,
      app.addChildren([appTalk, appCanvas, appRuns, appAccess]),
      settingsHome,
      models,
      appearance,
      system,
    ]),
  ]),
  basepath: sitePath,
  context: { queryClient: undefined as never },
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  defaultPendingMs: 150,
  defaultPendingComponent: RoutePending,
  defaultErrorComponent: RouteError,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
