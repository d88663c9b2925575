import type { components } from "./api";

/** The shapes of the console API by the names the features use. */
type Schemas = components["schemas"];

export type Language = "en" | "zh-Hans";
export type AppMode = Schemas["AppRead"]["mode"];

export type SetupState = Schemas["SetupRead"];
export type SetupRequest = Schemas["SetupCreate"];
export type Me = Schemas["Me"];
export type MeUpdate = Schemas["MeUpdate"];

export type ModelRef = Schemas["ModelName"];
export type Template = Schemas["TemplateRead"];
export type App = Schemas["AppRead"];
export type AppPage = Schemas["AppPage"];
export type AppUpdate = Schemas["AppUpdate"];
export type CheckReport = Schemas["CheckReport"];
export type ImportRequest = Schemas["AppImportCreate"];
export type ImportResult = Schemas["ImportResult"];
export type Published = Schemas["VersionRead"];
export type ModelUse = Schemas["ModelUseRead"];
export type ModelMappings = Schemas["ModelMappings"];
export type GraphNode = Schemas["GraphNode"];
export type GraphEdge = Schemas["GraphEdge"];
export type Graph = Schemas["GraphRead"];

export type ApiKey = Schemas["ApiKeyRead"];
export type ApiKeyIssued = Schemas["ApiKeyIssued"];

export type CredentialField = Schemas["CredentialField"];
export type Model = Schemas["ModelRead"];
export type ModelKind = Model["kind"];
export type ModelProvider = Schemas["ProviderRead"];
export type ModelAdd = Schemas["ModelCreate"];
export type CredentialTest = Schemas["TestResult"];
export type Discovered = Schemas["Discovered"];
export type TokenRequest = Schemas["TokensRequest"];
export type TokenCount = Schemas["TokensRead"];

export type SystemCheck = Schemas["CheckRead"];
export type SystemState = Schemas["SystemRead"];

export type Conversation = Schemas["ConversationRead"];
export type ConversationPage = Schemas["ConversationPage"];
export type Message = Schemas["MessageRead"];
export type MessageFile = Schemas["MessageFileRead"];
export type MessagePage = Schemas["MessagePage"];
export type UploadedFile = Schemas["UploadRead"];

export type RunSummary = Schemas["RunSummary"];
export type RunPage = Schemas["RunPage"];
export type RunNode = Schemas["NodeRunRead"];
export type RunDetail = Schemas["RunTrace"];
