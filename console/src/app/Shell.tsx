import { Outlet } from "@tanstack/react-router";
import { useMe } from "@/features/auth";
import { useText } from "@/shared/i18n";
import { Navigation } from "./Navigation";

/** The frame of every signed-in page: navigation at the left, one `main` at the right. */
export function Shell() {
  const t = useText();
  const me = useMe();
  return (
    <div className="grid h-full grid-cols-[56px_minmax(0,1fr)] grid-rows-1 wide:grid-cols-[208px_minmax(0,1fr)]">
      <button
        type="button"
        onClick={() => document.getElementById("main")?.focus()}
        className="fixed start-2 -top-12 z-toast rounded-control bg-accent px-3 py-1.5 text-on-accent focus:top-2"
      >
        {t("shell.skip")}
      </button>
      <Navigation me={me} />
      <main id="main" tabIndex={-1} className="flex min-h-0 min-w-0 flex-col overflow-y-auto outline-none">
        <Outlet />
      </main>
    </div>
  );
}
