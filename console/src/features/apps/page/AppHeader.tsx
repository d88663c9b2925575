import { Link } from "@tanstack/react-router";
import { ChevronRight, Download, FileUp, MoreHorizontal, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { consoleUrl } from "@/shared/api/client";
import type { App } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Badge } from "@/shared/ui/Badge";
import { IconButton } from "@/shared/ui/IconButton";
import { Menu, MenuItem, MenuLink, MenuSeparator } from "@/shared/ui/Menu";
import { AppIcon } from "../AppIcon";
import { DeleteAppDialog } from "../DeleteAppDialog";
import { ImportDialog } from "../import/ImportDialog";
import { useImportFlow } from "../import/useImportFlow";
import { modeLabel } from "../mode";
import { PublishState } from "../PublishState";
import { EditAppDialog } from "./EditAppDialog";
import { PublishButton } from "./PublishButton";

export function AppHeader({ app }: { app: App }) {
  const t = useText();
  const [dialog, setDialog] = useState<"edit" | "delete" | null>(null);
  const update = useImportFlow(app.id);
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-2 pb-2">
      <div className="flex min-w-0 flex-1 items-center gap-2.5">
        <Link to="/apps" className="rounded-chip text-dense text-t3 hover:text-t1">
          {t("apps.list.title")}
        </Link>
        <ChevronRight aria-hidden="true" size={14} className="shrink-0 text-t3" />
        <AppIcon icon={app.icon} mode={app.mode} size="small" />
        <h1 className="truncate text-title font-semibold text-t1" title={app.name}>
          {app.name}
        </h1>
        <span className="hidden items-center gap-2 tablet:inline-flex">
          <Badge>{modeLabel(t, app.mode)}</Badge>
          <PublishState app={app} />
        </span>
      </div>
      <div className="flex items-center gap-2">
        <PublishButton app={app} />
        <Menu trigger={<IconButton label={t("common.more")} icon={<MoreHorizontal aria-hidden="true" size={18} />} />}>
          <MenuItem icon={<Pencil aria-hidden="true" size={16} />} onSelect={() => setDialog("edit")}>
            {t("apps.actions.edit")}
          </MenuItem>
          <MenuLink
            icon={<Download aria-hidden="true" size={16} />}
            href={consoleUrl(`/apps/${app.id}/export`)}
            download
          >
            {t("apps.actions.export")}
          </MenuLink>
          <MenuItem icon={<FileUp aria-hidden="true" size={16} />} onSelect={update.open}>
            {t("apps.actions.update")}
          </MenuItem>
          <MenuSeparator />
          <MenuItem icon={<Trash2 aria-hidden="true" size={16} />} isDanger onSelect={() => setDialog("delete")}>
            {t("apps.actions.delete")}
          </MenuItem>
        </Menu>
      </div>
      {dialog === "edit" && <EditAppDialog app={app} onClose={() => setDialog(null)} />}
      {dialog === "delete" && <DeleteAppDialog app={app} onClose={() => setDialog(null)} />}
      <ImportDialog flow={update} isUpdate />
    </header>
  );
}
