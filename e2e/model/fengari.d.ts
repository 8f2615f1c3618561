/** The parts of fengari, a Lua VM in JavaScript, that the model uses; it ships no types. */
declare module 'fengari' {
  type State = { readonly __state: unique symbol };
  export const lua: {
    LUA_OK: 0;
    LUA_TBOOLEAN: 1;
    LUA_TNUMBER: 3;
    LUA_TSTRING: 4;
    LUA_TTABLE: 5;
    lua_pushboolean(L: State, value: boolean): void;
    lua_pushnumber(L: State, value: number): void;
    lua_pushstring(L: State, value: Uint8Array): void;
    lua_pushvalue(L: State, index: number): void;
    lua_pushcfunction(L: State, fn: (L: State) => number): void;
    lua_newtable(L: State): void;
    lua_rawseti(L: State, index: number, n: number): void;
    lua_rawgeti(L: State, index: number, n: number): void;
    lua_rawlen(L: State, index: number): number;
    lua_setfield(L: State, index: number, key: Uint8Array): void;
    lua_setglobal(L: State, name: Uint8Array): void;
    lua_gettop(L: State): number;
    lua_settop(L: State, index: number): void;
    lua_type(L: State, index: number): number;
    lua_tonumber(L: State, index: number): number;
    lua_toboolean(L: State, index: number): boolean;
    lua_tojsstring(L: State, index: number): string;
    lua_pcall(L: State, args: number, results: number, handler: number): number;
    lua_error(L: State): never;
  };
  export const lauxlib: {
    luaL_newstate(): State;
    luaL_loadstring(L: State, source: Uint8Array): number;
  };
  export const lualib: { luaL_openlibs(L: State): void };
  export function to_luastring(text: string): Uint8Array;
}
