import { Rocket } from "lucide-react";
import { problemText } from "@/shared/api/problem";
import type { App } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { toast } from "@/shared/ui/Toast";
import { usePublish } from "../api";

/** Makes the draft the live version. Says so when there is nothing to publish. */
export function PublishButton({ app }: { app: App }) {
  const t = useText();
  const publish = usePublish(app.id);
  const isCurrent = app.is_published && !app.has_unpublished_changes;
  const run = () =>
    publish.mutate(undefined, {
      onSuccess: (version) => toast(t("apps.publish.done", { number: version.number })),
      onError: (error) => toast(problemText(t, error), "error"),
    });
  return (
    <Button
      look={isCurrent ? "plain" : "primary"}
      icon={<Rocket aria-hidden="true" size={16} />}
      busy={publish.isPending}
      disabled={isCurrent}
      onClick={run}
    >
      {isCurrent ? t("apps.publish.current") : app.is_published ? t("apps.publish.changes") : t("apps.publish.first")}
    </Button>
  );
}
