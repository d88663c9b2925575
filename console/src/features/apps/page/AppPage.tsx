import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Outlet } from "@tanstack/react-router";
import { useState } from "react";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { Dialog } from "@/shared/ui/Dialog";
import { Notice } from "@/shared/ui/Notice";
import { appQuery } from "../api";
import { ReplaceModels } from "../import/ReplaceModels";
import { AppHeader } from "./AppHeader";
import { AppTabs } from "./AppTabs";

const route = getRouteApi("/signed-in/apps/$appId");

/** The frame of one app: its name, its state, its tabs. What the tab shows scrolls inside. */
export function AppPage() {
  const t = useText();
  const { appId } = route.useParams();
  const { data: app } = useSuspenseQuery(appQuery(appId));
  const [isReplacing, setIsReplacing] = useState(false);
  return (
    <div className="flex h-full min-h-0 flex-col">
      <title>{app.name}</title>
      <div className="shrink-0 border-b border-line bg-s1 px-4 pt-3 tablet:px-6">
        <AppHeader app={app} />
        <AppTabs app={app} />
      </div>
      {app.missing_models.length > 0 && (
        <div className="shrink-0 px-4 py-3 tablet:px-6">
          <Notice
            tone="warn"
            title={t("apps.models.missingTitle", { count: app.missing_models.length })}
            actions={
              <Button size="compact" onClick={() => setIsReplacing(true)}>
                {t("apps.models.choose")}
              </Button>
            }
          >
            {app.missing_models.map((model) => model.name || model.provider).join(" · ")}
          </Notice>
        </div>
      )}
      <div className="flex min-h-0 flex-1 flex-col">
        <Outlet />
      </div>
      <Dialog isOpen={isReplacing} onClose={() => setIsReplacing(false)} title={t("apps.models.choose")}>
        <div className="pb-4">
          <ReplaceModels app={app} onDone={() => setIsReplacing(false)} />
        </div>
      </Dialog>
    </div>
  );
}
