import i18next from "i18next";
import { useCallback } from "react";
import { initReactI18next, useTranslation } from "react-i18next";
import { LANGUAGES, type Language, rememberLanguage, toLanguage } from "./languages";
import type { TextKey } from "./textKey";

export { LANGUAGE_NAMES, LANGUAGES, type Language } from "./languages";
export type { TextKey } from "./textKey";

export type TextParams = Readonly<Record<string, string | number>>;
export type Text = (key: TextKey, params?: TextParams) => string;

const catalogues: Readonly<Record<Language, () => Promise<{ default: Record<string, unknown> }>>> = {
  en: () => import("./locales/en"),
  "zh-Hans": () => import("./locales/zh-Hans"),
};

export async function startI18n(language: Language): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: "en",
    supportedLngs: [...LANGUAGES],
    resources: {},
    partialBundledLanguages: true,
    interpolation: { escapeValue: false, prefix: "{", suffix: "}" },
    returnNull: false,
  });
  await load(language);
  document.documentElement.lang = language;
}

/** Switches the page at once and remembers the choice on this device; the account's setting is saved by the caller. */
export async function switchLanguage(language: Language): Promise<void> {
  await load(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  rememberLanguage(language);
}

export function currentLanguage(): Language {
  return toLanguage(i18next.language) ?? "en";
}

/** The one way to words: `const t = useText(); t("apps.list.title")`. */
export function useText(): Text {
  const { t } = useTranslation();
  return useCallback<Text>((key, params) => t(key, params ?? {}), [t]);
}

export function useLanguage(): Language {
  const { i18n } = useTranslation();
  return toLanguage(i18n.language) ?? "en";
}

/** For code outside components, such as a toast of a mutation. */
export const text: Text = (key, params) => i18next.t(key, params ?? {});

/** True when the catalogue has this key; for keys that are built from a code of the server. */
export function isTextKey(key: string): key is TextKey {
  return i18next.exists(key) || i18next.exists(key, { count: 1 });
}

async function load(language: Language): Promise<void> {
  const wanted: readonly Language[] = language === "en" ? ["en"] : [language, "en"];
  for (const each of wanted) {
    if (i18next.hasResourceBundle(each, "translation")) continue;
    const { default: catalogue } = await catalogues[each]();
    i18next.addResourceBundle(each, "translation", catalogue);
  }
}
