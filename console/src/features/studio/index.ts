export { CanvasView } from "./view/CanvasView";
