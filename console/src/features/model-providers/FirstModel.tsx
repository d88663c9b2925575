import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { ModelProvider } from "@/shared/api/types";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Skeleton } from "@/shared/ui/Skeleton";
import { modelsQuery, providersQuery, useSetDefault } from "./api";
import { FoundServers } from "./FoundServers";
import { ProviderDialog } from "./ProviderDialog";
import { ProviderGrid } from "./ProviderGrid";

/** The choice of a first model; what is chosen becomes the default model. */
export function FirstModel({ onDone }: { onDone: () => void }) {
  const queryClient = useQueryClient();
  const providers = useQuery(providersQuery);
  const setDefault = useSetDefault("chat");
  const [openId, setOpenId] = useState<string | null>(null);
  const opened = providers.data?.find((provider) => provider.id === openId);
  const finish = async (provider: ModelProvider) => {
    const models = await queryClient.fetchQuery({ ...modelsQuery("chat"), staleTime: 0 });
    const first = models.find((model) => model.provider === provider.id);
    if (!first) return;
    await setDefault.mutateAsync({ provider: first.provider, name: first.name });
    setOpenId(null);
    onDone();
  };
  if (providers.error) return <ErrorNote error={providers.error} onRetry={() => void providers.refetch()} />;
  if (!providers.data) return <Skeleton lines={4} />;
  return (
    <div className="flex flex-col gap-3">
      <FoundServers providers={providers.data} onOpen={setOpenId} />
      <ProviderGrid providers={providers.data.filter((provider) => provider.id !== "demo")} onOpen={setOpenId} />
      {opened && (
        <ProviderDialog
          key={opened.id}
          provider={opened}
          onClose={() => setOpenId(null)}
          onReady={(provider) => void finish(provider)}
        />
      )}
    </div>
  );
}
