export { WaitingForms } from "./WaitingForms";
