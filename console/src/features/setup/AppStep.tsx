import { Link } from "@tanstack/react-router";
import { Suspense } from "react";
import { NewApp } from "@/features/apps";
import { useText } from "@/shared/i18n";
import { buttonClass } from "@/shared/ui/Button";
import { Skeleton } from "@/shared/ui/Skeleton";

export function AppStep() {
  const t = useText();
  return (
    <div className="flex flex-col gap-6">
      <Suspense fallback={<Skeleton />}>
        <NewApp />
      </Suspense>
      <div className="flex justify-end border-t border-line pt-4">
        <Link to="/apps" className={buttonClass()}>
          {t("setup.app.skip")}
        </Link>
      </div>
    </div>
  );
}
