import type { ReactNode } from "react";
import { LANGUAGE_NAMES, LANGUAGES, switchLanguage, useLanguage, useText } from "@/shared/i18n";
import { classes } from "@/shared/lib/classes";
import { Logo } from "./Logo";

type Props = { title: string; description?: ReactNode; width?: "form" | "wide"; children: ReactNode };

/** The frame of pages before the shell: the mark, one card, and the language switch. */
export function Welcome({ title, description, width = "form", children }: Props) {
  const t = useText();
  return (
    <div className="flex h-full flex-col overflow-y-auto">
      <title>{title}</title>
      <header className="flex items-center justify-between gap-4 px-6 py-4">
        <span className="flex items-center gap-2.5 text-read font-semibold">
          <Logo />
          {t("common.appName")}
        </span>
        <LanguageSwitch />
      </header>
      <main
        className={classes(
          "mx-auto w-full px-4 pt-6 pb-16 tablet:pt-14",
          width === "form" ? "max-w-[464px]" : "max-w-[864px]",
        )}
      >
        <h1 className="text-hero font-semibold text-t1">{title}</h1>
        {description && <p className="mt-1.5 max-w-prose text-body text-t2">{description}</p>}
        <div className="mt-6">{children}</div>
      </main>
    </div>
  );
}

function LanguageSwitch() {
  const t = useText();
  const language = useLanguage();
  return (
    <fieldset className="flex gap-1">
      <legend className="sr-only">{t("shell.account.language")}</legend>
      {LANGUAGES.map((each) => (
        <button
          key={each}
          type="button"
          lang={each}
          aria-pressed={each === language}
          onClick={() => void switchLanguage(each)}
          className={classes(
            "h-7 rounded-control px-2 text-dense transition-colors hover:bg-s2",
            each === language ? "font-medium text-t1" : "text-t3",
          )}
        >
          {LANGUAGE_NAMES[each]}
        </button>
      ))}
    </fieldset>
  );
}
