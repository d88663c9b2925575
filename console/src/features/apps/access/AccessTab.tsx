import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMe } from "@/features/auth";
import { problemText } from "@/shared/api/problem";
import type { App } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Code } from "@/shared/ui/Code";
import { Notice } from "@/shared/ui/Notice";
import { Section } from "@/shared/ui/Section";
import { SwitchRow } from "@/shared/ui/SwitchRow";
import { toast } from "@/shared/ui/Toast";
import { appQuery, useUpdateApp } from "../api";
import { PublishButton } from "../page/PublishButton";
import { Examples } from "./Examples";
import { KeyList } from "./KeyList";

const route = getRouteApi("/signed-in/apps/$appId");

/** How programs reach this app: whether it is live, its keys, and calls that work when pasted. */
export function AccessTab() {
  const t = useText();
  const { appId } = route.useParams();
  const { data: app } = useSuspenseQuery(appQuery(appId));
  const { urls } = useMe();
  return (
    <section tabIndex={0} aria-label={t("access.title")} className="min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto flex w-full max-w-4xl flex-col gap-8 px-4 py-6 tablet:px-6">
        <LiveState app={app} />
        <Section title={t("access.addresses.title")} description={t("access.addresses.text")}>
          <div className="grid gap-3 tablet:grid-cols-2">
            <Code label={t("access.addresses.service")} text={urls.api} />
            <Code label={t("access.addresses.openai")} text={urls.openai} />
          </div>
        </Section>
        <KeyList appId={appId} />
        <Examples app={app} urls={urls} />
      </div>
    </section>
  );
}

function LiveState({ app }: { app: App }) {
  const t = useText();
  const update = useUpdateApp(app.id);
  const toggle = (api_enabled: boolean) =>
    update.mutate({ api_enabled }, { onError: (error) => toast(problemText(t, error), "error") });
  return (
    <Section title={t("access.live.title")}>
      {!app.is_published && (
        <Notice tone="warn" title={t("access.live.notYet")} actions={<PublishButton app={app} />}>
          {t("access.live.notYetText")}
        </Notice>
      )}
      {app.is_published && app.has_unpublished_changes && (
        <Notice title={t("access.live.changed")} actions={<PublishButton app={app} />}>
          {t("access.live.changedText")}
        </Notice>
      )}
      <div className="rounded-card border border-line bg-s1 px-4 py-3">
        <SwitchRow
          label={t("access.live.switch")}
          help={t("access.live.switchHelp")}
          isOn={app.api_enabled}
          isDisabled={update.isPending}
          onChange={toggle}
        />
      </div>
    </Section>
  );
}
