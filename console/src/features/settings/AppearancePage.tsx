import { Monitor, Moon, Sun } from "lucide-react";
import { useUpdateMe } from "@/features/auth";
import { LANGUAGE_NAMES, LANGUAGES, type Language, switchLanguage, useLanguage, useText } from "@/shared/i18n";
import { applyTheme, THEME_CHOICES, type ThemeChoice, useTheme } from "@/shared/theme/theme";
import { Page } from "@/shared/ui/Page";
import { Section } from "@/shared/ui/Section";
import { ChoiceCard } from "./ChoiceCard";

const ICONS = { system: Monitor, light: Sun, dark: Moon };

export function AppearancePage() {
  const t = useText();
  const language = useLanguage();
  const theme = useTheme((state) => state.choice);
  const update = useUpdateMe();
  const chooseTheme = (next: ThemeChoice) => {
    applyTheme(next);
    update.mutate({ theme: next });
  };
  const chooseLanguage = (next: Language) => {
    void switchLanguage(next);
    update.mutate({ language: next });
  };
  return (
    <Page title={t("settings.appearance.title")} description={t("settings.appearance.text")} width="narrow">
      <div className="flex flex-col gap-8">
        <Section title={t("settings.appearance.theme")}>
          <fieldset className="grid gap-3 phone:grid-cols-3">
            <legend className="sr-only">{t("settings.appearance.theme")}</legend>
            {THEME_CHOICES.map((each) => {
              const Icon = ICONS[each];
              return (
                <ChoiceCard
                  key={each}
                  group="theme"
                  isChosen={each === theme}
                  onChoose={() => chooseTheme(each)}
                  icon={<Icon aria-hidden="true" size={18} strokeWidth={1.75} />}
                >
                  {t(`settings.appearance.themes.${each}`)}
                </ChoiceCard>
              );
            })}
          </fieldset>
        </Section>
        <Section title={t("settings.appearance.language")}>
          <fieldset className="grid gap-3 phone:grid-cols-3">
            <legend className="sr-only">{t("settings.appearance.language")}</legend>
            {LANGUAGES.map((each) => (
              <ChoiceCard
                key={each}
                group="language"
                isChosen={each === language}
                onChoose={() => chooseLanguage(each)}
              >
                <span lang={each}>{LANGUAGE_NAMES[each]}</span>
              </ChoiceCard>
            ))}
          </fieldset>
        </Section>
      </div>
    </Page>
  );
}
