import { Link, type LinkProps } from "@tanstack/react-router";
import { Activity, Boxes, type LucideIcon, Palette, Sparkles } from "lucide-react";
import type { Me } from "@/shared/api/types";
import { type TextKey, useText } from "@/shared/i18n";
import { Logo } from "@/shared/ui/Logo";
import { AccountMenu } from "./AccountMenu";
import { EnvironmentBadge } from "./EnvironmentBadge";

type Entry = { to: NonNullable<LinkProps["to"]>; label: TextKey; Icon: LucideIcon };

const MAIN: readonly Entry[] = [
  { to: "/apps", label: "shell.nav.apps", Icon: Boxes },
  { to: "/settings/models", label: "shell.nav.models", Icon: Sparkles },
];
const SETTINGS: readonly Entry[] = [
  { to: "/settings/appearance", label: "shell.nav.appearance", Icon: Palette },
  { to: "/settings/system", label: "shell.nav.system", Icon: Activity },
];

export function Navigation({ me }: { me: Me }) {
  const t = useText();
  return (
    <nav
      aria-label={t("shell.nav.label")}
      className="flex min-h-0 flex-col gap-1 overflow-y-auto border-e border-line bg-s1 px-2 py-3"
    >
      <Link
        to="/apps"
        aria-label={t("shell.nav.home")}
        className="mb-2 flex h-9 items-center gap-2.5 rounded-control px-1.5 text-t1 wide:px-2"
      >
        <Logo />
        <span className="hidden text-read font-semibold wide:inline">{t("common.appName")}</span>
      </Link>
      <EnvironmentBadge environment={me.environment} />
      <Entries entries={MAIN} />
      <p className="mt-4 hidden px-2 pb-1 text-label font-medium text-t3 wide:block">{t("shell.nav.settings")}</p>
      <div className="my-2 h-px bg-line wide:hidden" />
      <Entries entries={SETTINGS} />
      <div className="min-h-4 flex-1" />
      <AccountMenu me={me} />
    </nav>
  );
}

function Entries({ entries }: { entries: readonly Entry[] }) {
  const t = useText();
  return (
    <ul className="flex flex-col gap-0.5">
      {entries.map(({ to, label, Icon }) => (
        <li key={to}>
          <Link
            to={to}
            title={t(label)}
            className="flex h-8 items-center justify-center gap-2.5 rounded-control text-body text-t2 transition-colors hover:bg-s2 hover:text-t1 wide:justify-start wide:px-2"
            activeProps={{ className: "bg-accent-soft font-medium !text-accent hover:bg-accent-soft" }}
          >
            <Icon aria-hidden="true" size={18} strokeWidth={1.75} />
            <span className="sr-only wide:not-sr-only">{t(label)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
