import { queryOptions, useQuery } from "@tanstack/react-query";
import { ExternalLink } from "lucide-react";
import { api, unwrap } from "@/shared/api/client";
import { useText } from "@/shared/i18n";
import { formatDateTime } from "@/shared/i18n/format";
import { buttonClass } from "@/shared/ui/Button";
import { Notice } from "@/shared/ui/Notice";

const REFRESH_MS = 5000;

const runFormsQuery = (runId: string) =>
  queryOptions({
    queryKey: ["run-forms", runId],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/runs/{run_id}/human-forms", { params: { path: { run_id: runId } }, signal })),
    refetchInterval: REFRESH_MS,
    staleTime: 0,
    // Who may not answer forms is not shown them.
    retry: false,
  });

/** The forms that a paused run waits for, each with the page to answer it on. */
export function WaitingForms({ runId }: { runId: string }) {
  const t = useText();
  const forms = useQuery(runFormsQuery(runId));
  const open = forms.data?.items.filter((form) => form.status === "waiting" && form.link) ?? [];
  if (open.length === 0) return null;
  return (
    <div className="flex flex-col gap-2">
      {open.map((form) => (
        <Notice
          key={form.id}
          title={t("humans.run.title", { title: form.node_title })}
          actions={
            <a href={form.link ?? ""} target="_blank" rel="noreferrer" className={buttonClass("plain", "compact")}>
              <ExternalLink aria-hidden="true" size={14} />
              {t("humans.run.open")}
            </a>
          }
        >
          {t("humans.run.text", { when: formatDateTime(form.expires_at) })}
          {form.mail_error && <p className="mt-1 text-err">{t("humans.run.notMailed", { reason: form.mail_error })}</p>}
        </Notice>
      ))}
    </div>
  );
}
