import type { App } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Badge } from "@/shared/ui/Badge";

/** The one thing about an app that most needs saying: it lacks a model, or how its draft stands to what is live. */
export function PublishState({ app }: { app: App }) {
  const t = useText();
  if (app.missing_models.length > 0) return <Badge tone="warn">{t("apps.state.needsModel")}</Badge>;
  if (!app.is_published) return <Badge>{t("apps.state.draft")}</Badge>;
  if (app.has_unpublished_changes) return <Badge tone="info">{t("apps.state.changed")}</Badge>;
  return <Badge tone="ok">{t("apps.state.published")}</Badge>;
}
