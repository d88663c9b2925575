import { Toast as Base } from "@base-ui/react/toast";
import { CircleCheck, TriangleAlert, X } from "lucide-react";
import { useText } from "@/shared/i18n";

const toasts = Base.createToastManager();

/** Reports the result of the user's own action. An error that needs a decision stays in the page instead. */
export function toast(title: string, kind: "ok" | "error" = "ok"): void {
  toasts.add({ title, type: kind, priority: kind === "error" ? "high" : "low" });
}

/** Rendered once, beside the layout and not inside it. */
export function ToastHost() {
  return (
    <Base.Provider toastManager={toasts} timeout={5000} limit={3}>
      <Base.Portal>
        <Base.Viewport className="fixed end-4 top-16 z-toast flex w-[360px] max-w-[calc(100vw-32px)] flex-col gap-2">
          <ToastList />
        </Base.Viewport>
      </Base.Portal>
    </Base.Provider>
  );
}

function ToastList() {
  const t = useText();
  const { toasts: shown } = Base.useToastManager();
  return shown.map((each) => (
    <Base.Root
      key={each.id}
      toast={each}
      className="rounded-card border border-line bg-s1 shadow-float transition-[opacity,translate] duration-180 data-ending-style:opacity-0 data-limited:hidden data-starting-style:translate-y-2 data-starting-style:opacity-0"
    >
      <Base.Content className="flex items-center gap-3 py-2 ps-4 pe-2">
        {each.type === "error" ? (
          <TriangleAlert aria-hidden="true" size={18} className="shrink-0 text-err" />
        ) : (
          <CircleCheck aria-hidden="true" size={18} className="shrink-0 text-ok" />
        )}
        <Base.Title className="min-w-0 flex-1 text-body text-t1" />
        <Base.Close
          aria-label={t("common.close")}
          className="inline-flex size-8 items-center justify-center rounded-control text-t3 hover:bg-s2 hover:text-t1"
        >
          <X aria-hidden="true" size={16} />
        </Base.Close>
      </Base.Content>
    </Base.Root>
  ));
}
