import { useQuery } from "@tanstack/react-query";
import { PanelLeft } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import type { App } from "@/shared/api/types";
import { useSearchParam } from "@/shared/hooks/useSearchParam";
import { useText } from "@/shared/i18n";
import { classes } from "@/shared/lib/classes";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { IconButton } from "@/shared/ui/IconButton";
import { Skeleton } from "@/shared/ui/Skeleton";
import { parametersQuery } from "../api";
import type { ChatFile } from "../model/files";
import { type InputValues, initialValues, problemOfInput, toInputs } from "../model/inputs";
import type { Parameters } from "../model/parameters";
import { Composer } from "./Composer";
import { ConversationList } from "./ConversationList";
import { InputsForm } from "./InputsForm";
import { Opening } from "./Opening";
import { SpokenAnswer } from "./SpokenAnswer";
import { Thread } from "./Thread";
import { useChat } from "./useChat";
import { useStickToEnd } from "./useStickToEnd";

const DOUBLE_PRESS_MS = 800;

/** Talking to an app: its conversations at the side, the turns of the chosen one, and the composer. */
export function ChatPane({ app }: { app: App }) {
  const parameters = useQuery(parametersQuery(app.id));
  if (parameters.isPending) return <Skeleton lines={6} className="p-6" />;
  if (parameters.isError) {
    return (
      <div className="p-6">
        <ErrorNote error={parameters.error} onRetry={parameters.refetch} />
      </div>
    );
  }
  return <Pane app={app} parameters={parameters.data} />;
}

function Pane({ app, parameters }: { app: App; parameters: Parameters }) {
  const t = useText();
  const [conversationId, setConversationId] = useSearchParam("conversation");
  const [values, setValues] = useState<InputValues>(() => initialValues(parameters.fields));
  const [isChecked, setIsChecked] = useState(false);
  const [draft, setDraft] = useState({ text: "", count: 0 });
  const [isListOpen, setIsListOpen] = useState(false);
  const { scroller, content, toEnd } = useStickToEnd<HTMLElement, HTMLDivElement>();
  const lastEscape = useRef(0);
  const chat = useChat(app.id, conversationId, (id) => setConversationId(id, true));
  const isNew = conversationId === null && chat.live.length === 0;

  const send = (query: string, files: readonly ChatFile[] = []) => {
    if (isNew && parameters.fields.some((field) => problemOfInput(field, values[field.name]))) {
      setIsChecked(true);
      setDraft({ text: query, count: draft.count + 1 });
      return;
    }
    // Later turns keep the inputs that the conversation began with.
    chat.ask(query, conversationId ? {} : toInputs(parameters.fields, values), files);
    toEnd();
  };
  const choose = (id: string | null) => {
    if (id === null) chat.startNew();
    setConversationId(id);
    setIsListOpen(false);
    toEnd();
  };
  const stopOnDoubleEscape = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !chat.isBusy) return;
    if (event.timeStamp - lastEscape.current < DOUBLE_PRESS_MS) chat.stop();
    lastEscape.current = event.timeStamp;
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut; the Stop button does the same.
    <div className="flex h-full min-h-0" onKeyDown={stopOnDoubleEscape}>
      <div
        className={classes(
          "w-full shrink-0 border-e border-line bg-s1 tablet:block tablet:w-60",
          isListOpen ? "block" : "hidden",
        )}
      >
        <ConversationList appId={app.id} chosenId={conversationId} onChoose={choose} />
      </div>
      <div className={classes("min-h-0 min-w-0 flex-1 flex-col tablet:flex", isListOpen ? "hidden" : "flex")}>
        <div className="px-3 pt-2 tablet:hidden">
          <IconButton
            label={t("chat.conversations.title")}
            icon={<PanelLeft aria-hidden="true" size={18} />}
            onClick={() => setIsListOpen(true)}
          />
        </div>
        <section
          ref={scroller}
          tabIndex={0}
          aria-label={t("chat.thread")}
          className="min-h-0 flex-1 overflow-y-auto px-4 -outline-offset-2"
        >
          <div ref={content} className="mx-auto flex max-w-3xl flex-col gap-8 py-6">
            <Thread
              appId={app.id}
              conversationId={conversationId}
              live={chat.live}
              onRetry={send}
              onEdit={(text) => setDraft({ text, count: draft.count + 1 })}
              opening={
                <>
                  <Opening app={app} opening={parameters.opening} suggestions={parameters.suggestions} onAsk={send} />
                  {parameters.fields.length > 0 && (
                    <section aria-label={t("chat.inputs.title")} className="rounded-card border border-line bg-s1 p-4">
                      <InputsForm
                        appId={app.id}
                        fields={parameters.fields}
                        values={values}
                        isChecked={isChecked}
                        onChange={setValues}
                      />
                    </section>
                  )}
                </>
              }
            />
          </div>
        </section>
        <div className="px-4 pb-4">
          <div className="mx-auto max-w-3xl">
            <Composer
              key={draft.count}
              appId={app.id}
              draft={draft.text}
              upload={parameters.upload}
              isBusy={chat.isBusy}
              onSend={send}
              onStop={chat.stop}
            />
            <p className="pt-1.5 text-center text-label text-t3">{t("chat.composer.hint")}</p>
          </div>
        </div>
        <SpokenAnswer session={chat.live.at(-1)?.session ?? null} />
      </div>
    </div>
  );
}
