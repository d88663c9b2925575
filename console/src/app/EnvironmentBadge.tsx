import { useText } from "@/shared/i18n";

/** Says that this is not the production system; nothing in production. */
export function EnvironmentBadge({ environment }: { environment: string }) {
  const t = useText();
  const name = environment.toUpperCase();
  if (name !== "DEVELOPMENT" && name !== "TESTING") return null;
  const words = name === "TESTING" ? t("shell.environment.testing") : t("shell.environment.development");
  return (
    <p
      title={words}
      className="mb-2 truncate rounded-chip border border-warn px-1 py-0.5 text-center text-meta font-medium text-warn wide:mx-2 wide:text-label"
    >
      <span aria-hidden="true" className="wide:hidden">
        {t("shell.environment.short")}
      </span>
      <span className="sr-only wide:not-sr-only">{words}</span>
    </p>
  );
}
