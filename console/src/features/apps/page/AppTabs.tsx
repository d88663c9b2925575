import { Link } from "@tanstack/react-router";
import type { App } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { isConversational } from "../mode";

const TAB =
  "-mb-px flex h-9 items-center border-b-2 border-transparent text-body whitespace-nowrap text-t2 transition-colors hover:text-t1";
const ACTIVE = { className: "!border-accent font-medium !text-t1" };

/** Each tab is an address of its own, so these are links. */
export function AppTabs({ app }: { app: App }) {
  const t = useText();
  const params = { appId: app.id };
  return (
    <nav aria-label={t("apps.tabs.label")} className="flex gap-6 overflow-x-auto">
      <Link
        to="/apps/$appId"
        params={params}
        activeOptions={{ exact: true, includeSearch: false }}
        className={TAB}
        activeProps={ACTIVE}
      >
        {isConversational(app.mode) ? t("apps.tabs.chat") : t("apps.tabs.run")}
      </Link>
      <Link to="/apps/$appId/canvas" params={params} className={TAB} activeProps={ACTIVE}>
        {t("apps.tabs.canvas")}
      </Link>
      <Link to="/apps/$appId/runs" params={params} className={TAB} activeProps={ACTIVE}>
        {t("apps.tabs.runs")}
      </Link>
      <Link to="/apps/$appId/api" params={params} className={TAB} activeProps={ACTIVE}>
        {t("apps.tabs.api")}
      </Link>
    </nav>
  );
}
