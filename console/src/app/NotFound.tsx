import { Link } from "@tanstack/react-router";
import { useText } from "@/shared/i18n";
import { buttonClass } from "@/shared/ui/Button";

export function NotFound() {
  const t = useText();
  return (
    <main className="mx-auto flex max-w-lg flex-col items-start gap-3 px-6 py-24">
      <h1 className="text-hero font-semibold">{t("shell.notFound.title")}</h1>
      <p className="text-body text-t2">{t("shell.notFound.text")}</p>
      <Link to="/apps" className={buttonClass("primary")}>
        {t("shell.notFound.home")}
      </Link>
    </main>
  );
}
