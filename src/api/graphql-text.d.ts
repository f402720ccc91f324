/** `.graphql` files are imported as text. */
declare module "*.graphql" {
  const text: string;
  export default text;
}
