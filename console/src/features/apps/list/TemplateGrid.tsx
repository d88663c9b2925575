import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import { useLanguage, useText } from "@/shared/i18n";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Skeleton } from "@/shared/ui/Skeleton";
import { Spinner } from "@/shared/ui/Spinner";
import { AppIcon } from "../AppIcon";
import { templatesQuery, useTemplateApp } from "../api";
import { modeLabel } from "../mode";

/** The built-in templates; one press makes an app of one and opens it. */
export function TemplateGrid({ onDone }: { onDone?: () => void }) {
  const t = useText();
  const language = useLanguage();
  const navigate = useNavigate();
  const { data: templates, error, refetch } = useQuery(templatesQuery);
  const make = useTemplateApp();
  const take = (slug: string) =>
    make.mutate(slug, {
      onSuccess: async ({ app }) => {
        onDone?.();
        if (app) await navigate({ to: "/apps/$appId", params: { appId: app.id } });
      },
    });
  if (error) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (!templates) return <Skeleton lines={3} />;
  return (
    <div className="flex flex-col gap-3">
      <ul className="grid grid-cols-[repeat(auto-fit,minmax(min(220px,100%),1fr))] gap-3">
        {templates.map((template) => {
          const name = template.name[language] ?? template.name.en ?? template.slug;
          const isMaking = make.isPending && make.variables === template.slug;
          return (
            <li key={template.slug}>
              <button
                type="button"
                aria-busy={isMaking || undefined}
                disabled={make.isPending && !isMaking}
                onClick={() => !make.isPending && take(template.slug)}
                className="group flex h-full w-full flex-col gap-2 rounded-card border border-line bg-s1 p-4 text-start transition-colors hover:border-line-strong disabled:opacity-60"
              >
                <span className="flex w-full items-center gap-3">
                  <AppIcon icon={template.icon} mode={template.mode} />
                  <span className="min-w-0 flex-1">
                    <span className="block text-body font-semibold break-words text-t1">{name}</span>
                    <span className="block text-label text-t3">{modeLabel(t, template.mode)}</span>
                  </span>
                  {isMaking ? (
                    <Spinner />
                  ) : (
                    <ArrowRight aria-hidden="true" size={16} className="text-t3 group-hover:text-accent" />
                  )}
                </span>
                <span className="text-dense text-t2">
                  {template.description[language] ?? template.description.en ?? ""}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      {make.error && <ErrorNote error={make.error} />}
    </div>
  );
}
