export { runQuery } from "./api";
export { RunSession, type RunTransport } from "./model/RunSession";
export { toSteps } from "./model/runDetail";
export {
  isLive,
  type RunError,
  type RunState,
  type Step,
  type StepUsage,
} from "./model/runState";
export { NodeDetails } from "./view/NodeDetails";
export { RunList } from "./view/RunList";
export { RunTrace } from "./view/RunTrace";
export { StepsFold } from "./view/StepsFold";
export { ValueList, ValueView } from "./view/ValueView";
