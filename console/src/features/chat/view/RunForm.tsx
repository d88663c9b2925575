import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Play, Square } from "lucide-react";
import { type KeyboardEvent, type SyntheticEvent, useState } from "react";
import type { RunSession } from "@/features/runs";
import type { App } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Skeleton } from "@/shared/ui/Skeleton";
import { parametersQuery, runSession } from "../api";
import { type InputValues, initialValues, problemOfInput, toInputs } from "../model/inputs";
import type { Parameters } from "../model/parameters";
import { InputsForm } from "./InputsForm";
import { RunResult } from "./RunResult";
import { useIsBusy } from "./useIsBusy";

/** Using an app that answers once: its inputs, and what comes out. */
export function RunForm({ app }: { app: App }) {
  const parameters = useQuery(parametersQuery(app.id));
  if (parameters.isPending) return <Skeleton lines={6} className="p-6" />;
  if (parameters.isError) {
    return (
      <div className="p-6">
        <ErrorNote error={parameters.error} onRetry={parameters.refetch} />
      </div>
    );
  }
  return <Form app={app} parameters={parameters.data} />;
}

function Form({ app, parameters }: { app: App; parameters: Parameters }) {
  const t = useText();
  const queryClient = useQueryClient();
  const [values, setValues] = useState<InputValues>(() => initialValues(parameters.fields));
  const [isChecked, setIsChecked] = useState(false);
  const [session, setSession] = useState<RunSession | null>(null);
  const isBusy = useIsBusy(session);

  const start = () => {
    setIsChecked(true);
    if (isBusy || parameters.fields.some((field) => problemOfInput(field, values[field.name]))) return;
    const started = runSession(app.id, toInputs(parameters.fields, values));
    setSession(started);
    void started.follow().then(() => queryClient.invalidateQueries({ queryKey: ["runs", app.id] }));
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    start();
  };
  const startByKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.nativeEvent.isComposing) start();
  };

  return (
    <div className="flex h-full min-h-0 flex-col overflow-y-auto wide:flex-row wide:overflow-hidden">
      <section
        aria-labelledby="run-inputs"
        className="shrink-0 border-line p-4 tablet:p-6 wide:w-[400px] wide:overflow-y-auto wide:border-e wide:bg-s1"
      >
        <h2 id="run-inputs" className="mb-4 text-read font-semibold text-t1">
          {t("chat.run.inputs")}
        </h2>
        <form onSubmit={submit} onKeyDown={startByKey} noValidate className="flex flex-col gap-5">
          {parameters.fields.length === 0 && <p className="text-body text-t2">{t("chat.run.noInputs")}</p>}
          <InputsForm
            appId={app.id}
            fields={parameters.fields}
            values={values}
            isChecked={isChecked}
            onChange={setValues}
          />
          <div className="flex gap-2">
            <Button type="submit" look="primary" disabled={isBusy} icon={<Play aria-hidden="true" size={16} />}>
              {t("chat.run.start")}
            </Button>
            {isBusy && (
              <Button
                icon={<Square aria-hidden="true" size={12} fill="currentColor" />}
                onClick={() => session?.stop()}
              >
                {t("chat.composer.stop")}
              </Button>
            )}
          </div>
        </form>
      </section>
      <section aria-labelledby="run-result" className="min-h-0 min-w-0 flex-1 p-4 tablet:p-6 wide:overflow-y-auto">
        <div className="mx-auto max-w-3xl">
          <h2 id="run-result" className="mb-4 text-read font-semibold text-t1">
            {t("chat.run.result")}
          </h2>
          {session ? (
            <RunResult appId={app.id} session={session} onRetry={start} />
          ) : (
            <p className="text-body text-t3">{t("chat.run.nothing")}</p>
          )}
        </div>
      </section>
    </div>
  );
}
