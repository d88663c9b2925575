import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useText } from "@/shared/i18n";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Page } from "@/shared/ui/Page";
import { Section } from "@/shared/ui/Section";
import { Skeleton } from "@/shared/ui/Skeleton";
import { modelsQuery, providersQuery } from "./api";
import { DefaultModel } from "./DefaultModel";
import { FoundServers } from "./FoundServers";
import { ModelTable } from "./ModelTable";
import { ProviderDialog } from "./ProviderDialog";
import { ProviderGrid } from "./ProviderGrid";
import { TokenBudget } from "./TokenBudget";

const route = getRouteApi("/signed-in/settings/models");

/** Who answers: the providers, their models, and how a window is shared between prompt and answer. */
export function ModelsPage() {
  const t = useText();
  const { provider: openId } = route.useSearch();
  const navigate = route.useNavigate();
  const providers = useQuery(providersQuery);
  const models = useQuery(modelsQuery("chat"));
  const open = (id: string) => void navigate({ search: { provider: id } });
  const close = () => void navigate({ search: {} });
  const opened = providers.data?.find((provider) => provider.id === openId);
  const error = providers.error ?? models.error;
  return (
    <Page title={t("models.title")} description={t("models.text")}>
      {error && <ErrorNote error={error} onRetry={() => void Promise.all([providers.refetch(), models.refetch()])} />}
      {!error && !(providers.data && models.data) && <Skeleton lines={5} />}
      {providers.data && models.data && (
        <div className="flex flex-col gap-10">
          <Section title={t("models.yours.title")} description={t("models.yours.text")}>
            <DefaultModel models={models.data} />
            <ModelTable models={models.data} providers={providers.data} />
          </Section>
          <Section title={t("models.providers.title")} description={t("models.providers.text")}>
            <FoundServers providers={providers.data} onOpen={open} />
            <ProviderGrid providers={providers.data} onOpen={open} />
          </Section>
          <Section title={t("models.budget.title")} description={t("models.budget.text")}>
            <TokenBudget models={models.data} />
          </Section>
        </div>
      )}
      {opened && <ProviderDialog key={opened.id} provider={opened} onClose={close} />}
    </Page>
  );
}
