import "@/shared/theme/console.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { config } from "zod/v4/core";
import { App } from "@/app/App";
import { startI18n } from "@/shared/i18n";
import { preferredLanguage } from "@/shared/i18n/languages";
import { followSystemTheme } from "@/shared/theme/theme";

// The content security policy allows no `eval`, so validators are not compiled.
config({ jitless: true });
followSystemTheme();
await startI18n(preferredLanguage());

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
