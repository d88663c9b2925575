import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { CircleCheck, Hourglass, Unlink } from "lucide-react";
import { useState } from "react";
import { Problem } from "@/shared/api/problem";
import { useText } from "@/shared/i18n";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Skeleton } from "@/shared/ui/Skeleton";
import { Welcome } from "@/shared/ui/Welcome";
import { formQuery } from "./api";
import { FormBody } from "./FormBody";

const route = getRouteApi("/form/$token");

type Closed = "sent" | "submitted" | "expired" | "absent";

const ICONS = { sent: CircleCheck, submitted: CircleCheck, expired: Hourglass, absent: Unlink };

/** The page behind a form's link: anybody who holds it can answer, once. */
export function FormPage() {
  const t = useText();
  const { token } = route.useParams();
  const form = useQuery(formQuery(token));
  const [closed, setClosed] = useState<Closed | null>(null);
  const end = closed ?? closedBy(form.error);
  const title = form.data?.site.title ?? t("humans.page.title");
  if (end) return <Ending title={title} end={end} />;
  return (
    <Welcome title={title}>
      {form.isPending && <Skeleton lines={5} />}
      {form.error && <ErrorNote error={form.error} onRetry={() => void form.refetch()} />}
      {form.data && (
        <FormBody
          token={token}
          form={form.data}
          onSent={() => setClosed("sent")}
          onRefused={(error) => setClosed(closedBy(error))}
        />
      )}
    </Welcome>
  );
}

function Ending({ title, end }: { title: string; end: Closed }) {
  const t = useText();
  const Icon = ICONS[end];
  return (
    <Welcome title={title}>
      <div role="status" className="flex items-start gap-3 rounded-dialog border border-line bg-s1 p-6">
        <Icon aria-hidden="true" size={20} className={end === "sent" ? "shrink-0 text-ok" : "shrink-0 text-t3"} />
        <div>
          <p className="text-body font-medium text-t1">{t(`humans.end.${end}`)}</p>
          <p className="mt-1 text-body text-t2">{t(`humans.end.${end}Text`)}</p>
        </div>
      </div>
    </Welcome>
  );
}

/** Why a form cannot be answered any more; null for faults that may pass. */
function closedBy(error: unknown): Closed | null {
  if (!(error instanceof Problem)) return null;
  if (error.code === "human_input_form_submitted") return "submitted";
  if (error.code === "human_input_form_expired") return "expired";
  return error.status === 404 ? "absent" : null;
}
