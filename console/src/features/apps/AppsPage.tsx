import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { LayoutTemplate, SearchX, Upload } from "lucide-react";
import { useState } from "react";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { EmptyState } from "@/shared/ui/EmptyState";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Page } from "@/shared/ui/Page";
import { SearchInput } from "@/shared/ui/SearchInput";
import { Skeleton } from "@/shared/ui/Skeleton";
import { appsQuery } from "./api";
import { DropOverlay } from "./import/DropOverlay";
import { ImportDialog } from "./import/ImportDialog";
import { useFileDrop } from "./import/useFileDrop";
import { useImportFlow } from "./import/useImportFlow";
import { AppCard } from "./list/AppCard";
import { FirstApp } from "./list/FirstApp";
import { TemplateDialog } from "./list/TemplateDialog";

const route = getRouteApi("/signed-in/apps");

/** All apps of the workspace, and the ways to get one more. */
export function AppsPage() {
  const t = useText();
  const { query = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const [isTemplateOpen, setIsTemplateOpen] = useState(false);
  const flow = useImportFlow();
  const isDragging = useFileDrop(
    (file) => void flow.importFile(file),
    (content) => flow.importText({ name: t("apps.import.pasted"), content }),
  );
  const list = useInfiniteQuery(appsQuery(query));
  const apps = list.data?.pages.flatMap((page) => page.items) ?? [];
  const isFirst = list.isSuccess && apps.length === 0 && query === "";
  return (
    <Page
      title={t("apps.list.title")}
      width="wide"
      actions={
        !isFirst && (
          <>
            <Button icon={<LayoutTemplate aria-hidden="true" size={16} />} onClick={() => setIsTemplateOpen(true)}>
              {t("apps.list.fromTemplate")}
            </Button>
            <Button look="primary" icon={<Upload aria-hidden="true" size={16} />} onClick={flow.open}>
              {t("apps.list.import")}
            </Button>
          </>
        )
      }
    >
      {!isFirst && (
        <div className="mb-4">
          <SearchInput
            label={t("apps.list.search")}
            value={query}
            onSearch={(next) => void navigate({ search: next ? { query: next } : {}, replace: true })}
          />
        </div>
      )}
      {list.isPending && <Skeleton lines={4} />}
      {list.error && <ErrorNote error={list.error} onRetry={() => void list.refetch()} />}
      {isFirst && <FirstApp onImport={flow.open} />}
      {list.isSuccess && apps.length === 0 && query !== "" && (
        <EmptyState
          icon={<SearchX aria-hidden="true" size={28} strokeWidth={1.5} />}
          title={t("apps.list.noMatch", { query })}
          actions={<Button onClick={() => void navigate({ search: {} })}>{t("apps.list.clear")}</Button>}
        />
      )}
      {apps.length > 0 && (
        <ul className="grid grid-cols-[repeat(auto-fill,minmax(280px,1fr))] gap-4">
          {apps.map((app) => (
            <AppCard key={app.id} app={app} />
          ))}
        </ul>
      )}
      {list.hasNextPage && (
        <div className="mt-6 flex justify-center">
          <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {t("apps.list.more")}
          </Button>
        </div>
      )}
      <ImportDialog flow={flow} />
      <TemplateDialog isOpen={isTemplateOpen} onClose={() => setIsTemplateOpen(false)} />
      {isDragging && <DropOverlay />}
    </Page>
  );
}
