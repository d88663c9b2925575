import { Skeleton } from "@/shared/ui/Skeleton";

export function RoutePending() {
  return (
    <div className="mx-auto w-full max-w-5xl px-6 py-8">
      <Skeleton lines={4} />
    </div>
  );
}
