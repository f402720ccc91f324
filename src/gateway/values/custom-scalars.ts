/**
 * Which scalars are a service's own, so that what their values are is its matter. Knows types only.
 */
import { type GraphQLNamedType, type GraphQLScalarType, isScalarType, isSpecifiedScalarType } from "graphql";

export function isCustomScalar(type: GraphQLNamedType): type is GraphQLScalarType {
  return isScalarType(type) && !isSpecifiedScalarType(type);
}
