export { ChatPane } from "./view/ChatPane";
export { RunForm } from "./view/RunForm";
