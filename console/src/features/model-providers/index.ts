export { modelsQuery } from "./api";
export { FirstModel } from "./FirstModel";
export { ModelPicker } from "./ModelPicker";
export { modelKey, parseModelKey } from "./modelKey";
