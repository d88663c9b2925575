import { queryOptions, useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleX, RefreshCw } from "lucide-react";
import { useMe } from "@/features/auth";
import { api, unwrap } from "@/shared/api/client";
import type { SystemCheck } from "@/shared/api/types";
import { isTextKey, useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Page } from "@/shared/ui/Page";
import { Section } from "@/shared/ui/Section";
import { Skeleton } from "@/shared/ui/Skeleton";

const systemQuery = queryOptions({
  queryKey: ["system"],
  queryFn: ({ signal }) => unwrap(api.GET("/system", { signal })),
  staleTime: 0,
});

/** What `tidemill doctor` says, on a page: everything a start needs, and how to mend what fails. */
export function SystemPage() {
  const t = useText();
  const me = useMe();
  const { data, error, isFetching, refetch } = useQuery(systemQuery);
  const failed = data?.checks.filter((check) => !check.ok).length ?? 0;
  return (
    <Page
      title={t("settings.system.title")}
      description={t("settings.system.text")}
      width="narrow"
      actions={
        <Button busy={isFetching} icon={<RefreshCw aria-hidden="true" size={16} />} onClick={() => void refetch()}>
          {t("settings.system.again")}
        </Button>
      }
    >
      <div className="flex flex-col gap-8">
        <Section
          title={t("settings.system.checks")}
          description={
            data && (
              <span role="status">
                {failed === 0 ? t("settings.system.allGood") : t("settings.system.failed", { count: failed })}
              </span>
            )
          }
        >
          {error && <ErrorNote error={error} onRetry={() => void refetch()} />}
          {!data && !error && <Skeleton lines={5} />}
          {data && (
            <ul className="overflow-hidden rounded-card border border-line bg-s1">
              {data.checks.map((check) => (
                <CheckRow key={check.name} check={check} />
              ))}
            </ul>
          )}
        </Section>
        <Section title={t("settings.system.about")}>
          <dl className="grid grid-cols-[max-content_1fr] gap-x-6 gap-y-2 rounded-card border border-line bg-s1 p-4 text-body">
            <dt className="text-t3">{t("settings.system.version")}</dt>
            <dd className="font-mono text-dense">{me.version}</dd>
            <dt className="text-t3">{t("settings.system.environment")}</dt>
            <dd className="font-mono text-dense">{me.environment}</dd>
            <dt className="text-t3">{t("settings.system.api")}</dt>
            <dd className="font-mono text-dense break-all">{me.urls.api}</dd>
          </dl>
        </Section>
      </div>
    </Page>
  );
}

function CheckRow({ check }: { check: SystemCheck }) {
  const t = useText();
  const key = `settings.system.names.${check.name.replaceAll(/\W+/g, "_")}`;
  return (
    <li className="flex items-start gap-3 border-b border-line px-4 py-3 last:border-b-0">
      {check.ok ? (
        <CircleCheck role="img" aria-label={t("settings.system.ok")} size={18} className="mt-px shrink-0 text-ok" />
      ) : (
        <CircleX role="img" aria-label={t("settings.system.notOk")} size={18} className="mt-px shrink-0 text-err" />
      )}
      <div className="min-w-0 flex-1">
        <p className="text-body font-medium text-t1">{isTextKey(key) ? t(key) : check.name}</p>
        <p className="text-dense break-words text-t2">{check.message}</p>
        {check.mend && <p className="mt-1 text-dense break-words text-t1">{check.mend}</p>}
      </div>
    </li>
  );
}
