import { useText } from "@/shared/i18n";
import { Markdown } from "@/shared/markdown/Markdown";

type Props = {
  app: { name: string; description: string };
  opening: string;
  suggestions: readonly string[];
  onAsk: (question: string) => void;
};

/** What an app says before the first question, and questions to begin with. */
export function Opening({ app, opening, suggestions, onAsk }: Props) {
  const t = useText();
  return (
    <div className="flex flex-col gap-4 pt-8">
      {opening ? (
        <div className="text-read text-t1">
          <Markdown text={opening} />
        </div>
      ) : (
        <div>
          <h2 className="text-hero font-semibold text-t1">{t("chat.opening.title", { name: app.name })}</h2>
          <p className="mt-1 text-read text-t2">{app.description || t("chat.opening.text")}</p>
        </div>
      )}
      {suggestions.length > 0 && (
        <ul aria-label={t("chat.opening.suggestions")} className="flex flex-wrap gap-2">
          {suggestions.map((question) => (
            <li key={question}>
              <button
                type="button"
                onClick={() => onAsk(question)}
                className="min-h-8 rounded-control border border-line-strong bg-s1 px-3 py-1 text-start text-body text-t1 hover:bg-s2"
              >
                {question}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
