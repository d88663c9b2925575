import { Link } from "@tanstack/react-router";
import { Download, MoreHorizontal, Trash2 } from "lucide-react";
import { useState } from "react";
import { consoleUrl } from "@/shared/api/client";
import type { App } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { formatDateTime, formatRelative } from "@/shared/i18n/format";
import { IconButton } from "@/shared/ui/IconButton";
import { Menu, MenuItem, MenuLink, MenuSeparator } from "@/shared/ui/Menu";
import { AppIcon } from "../AppIcon";
import { DeleteAppDialog } from "../DeleteAppDialog";
import { modeLabel } from "../mode";
import { PublishState } from "../PublishState";

export function AppCard({ app }: { app: App }) {
  const t = useText();
  const [isDeleting, setIsDeleting] = useState(false);
  return (
    <li className="relative flex min-h-36 flex-col gap-3 rounded-card border border-line bg-s1 p-4 transition-colors focus-within:border-line-strong hover:border-line-strong">
      <div className="flex items-start gap-3">
        <AppIcon icon={app.icon} mode={app.mode} />
        <div className="min-w-0 flex-1">
          <h2 className="text-body font-semibold text-t1" title={app.name}>
            <Link
              to="/apps/$appId"
              params={{ appId: app.id }}
              className="block truncate leading-6 after:absolute after:inset-0 after:rounded-card focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-offset-2 focus-visible:after:outline-accent"
            >
              {app.name}
            </Link>
          </h2>
          <p className="text-label text-t3">{modeLabel(t, app.mode)}</p>
        </div>
        <div className="relative -me-1.5 -mt-1">
          <Menu
            trigger={
              <IconButton
                label={t("apps.list.actions", { name: app.name })}
                icon={<MoreHorizontal aria-hidden="true" size={18} />}
              />
            }
          >
            <MenuLink
              icon={<Download aria-hidden="true" size={16} />}
              href={consoleUrl(`/apps/${app.id}/export`)}
              download
            >
              {t("apps.actions.export")}
            </MenuLink>
            <MenuSeparator />
            <MenuItem icon={<Trash2 aria-hidden="true" size={16} />} isDanger onSelect={() => setIsDeleting(true)}>
              {t("apps.actions.delete")}
            </MenuItem>
          </Menu>
        </div>
      </div>
      <p className="line-clamp-2 flex-1 text-dense text-t2">{app.description || t("apps.list.noDescription")}</p>
      <div className="flex items-center justify-between gap-2">
        <time dateTime={app.updated_at} title={formatDateTime(app.updated_at)} className="text-label text-t3">
          {t("apps.list.changed", { when: formatRelative(app.updated_at) })}
        </time>
        <PublishState app={app} />
      </div>
      {isDeleting && <DeleteAppDialog app={app} onClose={() => setIsDeleting(false)} />}
    </li>
  );
}
