/** The operations as the documents of the registry publish them: users paste these, so nothing may be changed here. */

export const REGISTER = `
mutation RegisterService($input: RegisterServiceInput!) {
  registerService(input: $input) {
    id
    name
    url
    status
  }
}`;

export const UNREGISTER = `
mutation UnregisterService($name: String) {
  unregisterService(name: $name) {
    id
    name
  }
}`;

export const UPDATE = `
mutation UpdateService($name: String, $input: UpdateServiceInput!) {
  updateService(name: $name, input: $input) {
    id
    name
    url
    status
  }
}`;

export const ACTIVE = `
query GetActiveServices {
  getActiveServices {
    name
    url
    status
  }
}`;

export const SUBGRAPHS = `
query GetGatewaySubgraphs {
  getGatewaySubgraphs {
    name
    url
  }
}`;

export const HEALTH = `
query CheckAllServicesHealth {
  checkAllServicesHealth {
    service
    healthy
  }
}`;

export const REGISTER_PAYMENT = `
mutation RegisterPaymentService {
  registerService(input: {
    name: "payment-service"
    displayName: "Payment Service"
    description: "Handles payments and subscriptions"
    url: "http://localhost:3002/graphql"
    version: "1.0.0"
    tags: ["payment", "subscription"]
    dependencies: ["core"]
    isRequired: false
  }) {
    id
    name
    url
    status
  }
}`;

export const registerSelf = (serviceUrl: string) => `
    mutation RegisterSelf {
      registerService(input: {
        name: "payment"
        displayName: "Payment Service"
        url: "${serviceUrl}/graphql"
        version: "1.0.0"
        tags: ["payment"]
        dependencies: ["core"]
      }) {
        id
        name
      }
    }
  `;

export const CURL_HEALTH = '{"query": "query { checkAllServicesHealth { service healthy } }"}';

/** `url` stands for http://localhost:3001/graphql: the core of the bobbin that is asked. */
export const curlRegister = (url: string) => `{
       "query": "mutation { registerService(input: { name: \\"test-service\\", url: \\"${url}\\", version: \\"1.0.0\\" }) { id name url status } }"
     }`;
