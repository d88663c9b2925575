import { create } from "zustand";

export type ThemeChoice = "light" | "dark" | "system";
export const THEME_CHOICES: readonly ThemeChoice[] = ["system", "light", "dark"];

const STORAGE_KEY = "tidemill.theme";
const darkMedia = () => window.matchMedia("(prefers-color-scheme: dark)");

type ThemeState = { choice: ThemeChoice; isDark: boolean };

/** Which theme is chosen and whether it is dark now; `isDark` is what a drawing library needs. */
export const useTheme = create<ThemeState>(() => ({ choice: storedChoice(), isDark: isDark(storedChoice()) }));

export function applyTheme(choice: ThemeChoice): void {
  try {
    localStorage.setItem(STORAGE_KEY, choice);
  } catch {
    // Storage may be blocked; the choice then lasts for this page.
  }
  paint(choice);
}

/** Follows the system while the choice is "system". Call once at start. */
export function followSystemTheme(): void {
  darkMedia().addEventListener("change", () => paint(useTheme.getState().choice));
  paint(useTheme.getState().choice);
}

function paint(choice: ThemeChoice): void {
  const dark = isDark(choice);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  useTheme.setState({ choice, isDark: dark });
}

function isDark(choice: ThemeChoice): boolean {
  return choice === "dark" || (choice === "system" && darkMedia().matches);
}

function storedChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(STORAGE_KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system";
  }
}
