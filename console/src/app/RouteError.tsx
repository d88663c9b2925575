import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { Problem } from "@/shared/api/problem";
import { useText } from "@/shared/i18n";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { NotFound } from "./NotFound";

/** What a page shows when its data or its code could not be loaded. */
export function RouteError({ error, reset }: ErrorComponentProps) {
  const t = useText();
  const router = useRouter();
  if (error instanceof Problem && error.status === 404) return <NotFound />;
  const retry = async () => {
    reset();
    await router.invalidate();
  };
  return (
    <main className="mx-auto flex max-w-2xl flex-col gap-4 px-6 py-16">
      <h1 className="text-title font-semibold">{t("shell.failed.title")}</h1>
      <ErrorNote error={error} onRetry={() => void retry()} />
    </main>
  );
}
