import { useNavigate } from "@tanstack/react-router";
import { ChevronsUpDown, LogOut } from "lucide-react";
import { useSignOut, useUpdateMe } from "@/features/auth";
import type { Me } from "@/shared/api/types";
import { LANGUAGE_NAMES, LANGUAGES, type Language, switchLanguage, useLanguage, useText } from "@/shared/i18n";
import { applyTheme, THEME_CHOICES, type ThemeChoice, useTheme } from "@/shared/theme/theme";
import { Menu, MenuChoice, MenuItem, MenuSeparator } from "@/shared/ui/Menu";

export function AccountMenu({ me }: { me: Me }) {
  const t = useText();
  const navigate = useNavigate();
  const language = useLanguage();
  const theme = useTheme((state) => state.choice);
  const update = useUpdateMe();
  const signOut = useSignOut(() => void navigate({ to: "/signin" }));
  const name = me.account.name || me.account.email;
  const chooseLanguage = (next: Language) => {
    void switchLanguage(next);
    update.mutate({ language: next });
  };
  const chooseTheme = (next: ThemeChoice) => {
    applyTheme(next);
    update.mutate({ theme: next });
  };
  return (
    <Menu align="start" side="top" trigger={<AccountButton name={name} workspace={me.workspace.name} />}>
      <div className="px-2 pt-1.5 pb-2">
        <p className="truncate text-body font-medium text-t1">{name}</p>
        <p className="truncate text-label text-t3">{me.account.email}</p>
      </div>
      <MenuSeparator />
      <MenuChoice
        label={t("shell.account.language")}
        value={language}
        options={LANGUAGES.map((each) => ({ value: each, label: LANGUAGE_NAMES[each], lang: each }))}
        onChange={chooseLanguage}
      />
      <MenuSeparator />
      <MenuChoice
        label={t("shell.account.theme")}
        value={theme}
        options={THEME_CHOICES.map((each) => ({ value: each, label: t(`settings.appearance.themes.${each}`) }))}
        onChange={chooseTheme}
      />
      <MenuSeparator />
      <MenuItem icon={<LogOut aria-hidden="true" size={16} />} onSelect={() => signOut.mutate()}>
        {t("shell.account.signOut")}
      </MenuItem>
    </Menu>
  );
}

function AccountButton({ name, workspace, ...rest }: { name: string; workspace: string }) {
  const t = useText();
  return (
    <button
      type="button"
      {...rest}
      aria-label={t("shell.account.label", { name })}
      className="flex min-h-10 items-center justify-center gap-2.5 rounded-control text-start transition-colors hover:bg-s2 data-popup-open:bg-s2 wide:justify-start wide:px-2 wide:py-1"
    >
      <span
        aria-hidden="true"
        className="flex size-7 shrink-0 items-center justify-center rounded-full bg-accent-soft text-label font-semibold text-accent uppercase"
      >
        {name.slice(0, 1)}
      </span>
      <span className="hidden min-w-0 flex-1 wide:block">
        <span className="block truncate text-dense font-medium text-t1">{name}</span>
        <span className="block truncate text-label text-t3">{workspace}</span>
      </span>
      <ChevronsUpDown aria-hidden="true" size={14} className="hidden shrink-0 text-t3 wide:block" />
    </button>
  );
}
