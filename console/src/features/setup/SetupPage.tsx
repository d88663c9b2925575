import { getRouteApi } from "@tanstack/react-router";
import { Check } from "lucide-react";
import { useText } from "@/shared/i18n";
import { classes } from "@/shared/lib/classes";
import { Welcome } from "@/shared/ui/Welcome";
import { AccountStep } from "./AccountStep";
import { AppStep } from "./AppStep";
import { ModelStep } from "./ModelStep";

const route = getRouteApi("/setup");
const STEPS = ["account", "model", "app"] as const;
export type Step = (typeof STEPS)[number];

/** The first run: the owner's account, then a model and an app, both of which can wait. */
export function SetupPage() {
  const t = useText();
  const { step = "account" } = route.useSearch();
  const navigate = route.useNavigate();
  const go = (next: Step) => void navigate({ search: { step: next } });
  return (
    <Welcome
      title={t(`setup.${step}.title`)}
      description={t(`setup.${step}.text`)}
      width={step === "account" ? "form" : "wide"}
    >
      <Progress step={step} />
      {step === "account" && <AccountStep onDone={() => go("model")} />}
      {step === "model" && <ModelStep onDone={() => go("app")} />}
      {step === "app" && <AppStep />}
    </Welcome>
  );
}

function Progress({ step }: { step: Step }) {
  const t = useText();
  const current = STEPS.indexOf(step);
  return (
    <ol aria-label={t("setup.progress")} className="mb-6 flex flex-wrap gap-x-6 gap-y-2">
      {STEPS.map((each, index) => {
        const isDone = index < current;
        const isCurrent = index === current;
        return (
          <li
            key={each}
            aria-current={isCurrent ? "step" : undefined}
            className={classes("flex items-center gap-2 text-dense", isCurrent ? "font-medium text-t1" : "text-t3")}
          >
            <span
              aria-hidden="true"
              className={classes(
                "flex size-5 items-center justify-center rounded-full border text-meta font-semibold tabular-nums",
                isCurrent ? "border-transparent bg-accent text-on-accent" : "border-line-strong",
              )}
            >
              {isDone ? <Check size={12} /> : index + 1}
            </span>
            {t(`setup.steps.${each}`)}
            {isDone && <span className="sr-only">{t("setup.stepDone")}</span>}
          </li>
        );
      })}
    </ol>
  );
}
