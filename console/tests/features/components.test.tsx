// @vitest-environment jsdom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { CreateKeyDialog } from "@/features/apps/access/CreateKeyDialog";
import { ReplaceModels } from "@/features/apps/import/ReplaceModels";
import type { ApiKeyIssued, App, Model } from "@/shared/api/types";
import { startI18n } from "@/shared/i18n";
import { SearchInput } from "@/shared/ui/SearchInput";

type Routes = Record<string, unknown>;

const app: App = {
  id: "a1",
  name: "Support",
  description: "",
  mode: "advanced-chat",
  icon: "",
  icon_background: null,
  revision: 1,
  is_published: false,
  has_unpublished_changes: false,
  api_enabled: true,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
  missing_models: [{ provider: "openai", name: "gpt-4o" }],
};
const demo: Model = {
  provider: "demo",
  name: "demo",
  kind: "chat",
  window_tokens: 32_768,
  max_output_tokens: 4096,
  features: [],
  is_default: true,
  source: "catalogue",
};

const fetchMock = vi.fn<(request: Request) => Promise<Response>>();

beforeAll(() => startI18n("en"));
beforeEach(() => vi.stubGlobal("fetch", fetchMock));
afterEach(() => {
  cleanup();
  fetchMock.mockReset();
  vi.unstubAllGlobals();
});

it("a new key is shown once, with the name it was given", async () => {
  const issued: ApiKeyIssued = {
    key: { id: "k1", name: "CI", hint: "wxyz", created_at: "2026-01-01T00:00:00Z", last_used_at: null },
    secret: "app-abcdefghijklmnopqrstwxyz",
  };
  answer({ "POST /apps/a1/keys": issued, "GET /apps/a1/keys": [issued.key] });
  show(<CreateKeyDialog appId="a1" onClose={() => undefined} />);

  await userEvent.type(screen.getByLabelText("Name"), "CI");
  await userEvent.click(screen.getByRole("button", { name: "Create key" }));

  expect(await screen.findByText(issued.secret)).toBeTruthy();
  expect(await sent("POST")).toEqual({ name: "CI" });
});

it("a key that clients already use is sent as it is", async () => {
  answer({ "POST /apps/a1/keys": {} });
  show(<CreateKeyDialog appId="a1" onClose={() => undefined} />);

  await userEvent.click(screen.getByRole("switch"));
  await userEvent.type(screen.getByLabelText(/Existing key/), "app-existing");
  await userEvent.click(screen.getByRole("button", { name: "Keep key" }));

  await waitFor(async () => expect(await sent("POST")).toEqual({ name: "", value: "app-existing" }));
});

it("replacing the last missing model goes on with the mended app", async () => {
  const mended = { ...app, missing_models: [] };
  answer({ "GET /models": [demo], "GET /model-providers": [], "PUT /apps/a1/models": mended });
  const onDone = vi.fn();
  show(<ReplaceModels app={app} onDone={onDone} />);

  await userEvent.click(await screen.findByRole("button", { name: "Use this model" }));

  await waitFor(() => expect(onDone).toHaveBeenCalledWith(mended));
  expect(await sent("PUT")).toEqual({
    mappings: [{ from: { provider: "openai", name: "gpt-4o" }, to: { provider: "demo", name: "demo" } }],
  });
});

it("a search waits for the end of a composition", () => {
  vi.useFakeTimers();
  const onSearch = vi.fn();
  render(<SearchInput label="Search apps" value="" onSearch={onSearch} />);
  const box = screen.getByRole("searchbox", { name: "Search apps" });

  fireEvent.compositionStart(box);
  fireEvent.change(box, { target: { value: "ni hao" } });
  vi.advanceTimersByTime(1000);
  expect(onSearch).not.toHaveBeenCalled();

  fireEvent.change(box, { target: { value: "你好" } });
  fireEvent.compositionEnd(box);
  expect(onSearch).toHaveBeenCalledWith("你好");
  vi.useRealTimers();
});

function show(children: ReactNode): void {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(<QueryClientProvider client={client}>{children}</QueryClientProvider>);
}

/** Answers by method and path, as the server would. */
function answer(routes: Routes): void {
  fetchMock.mockImplementation(async (request) => {
    const path = new URL(request.url).pathname.replace("/console/api", "");
    const body = routes[`${request.method} ${path}`];
    return body === undefined
      ? Response.json({ code: "not_found", message: `${request.method} ${path}`, status: 404 }, { status: 404 })
      : Response.json(body);
  });
}

async function sent(method: string): Promise<unknown> {
  const request = fetchMock.mock.calls.map(([each]) => each).find((each) => each.method === method);
  return request?.clone().json();
}
