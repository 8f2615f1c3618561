import { lauxlib, lua, lualib, to_luastring } from 'fengari';

/** What a Redis command returns to a script, and a script to its caller. */
export type Reply = string | number | boolean | null | Reply[];
export type Command = (args: string[]) => Reply;
export type CompiledScript = (command: Command, keys: string[], args: string[]) => Reply;

type State = ReturnType<typeof lauxlib.luaL_newstate>;

/** Compiles a Redis script once, to run against any `redis.call`. Throws the errors of Redis. */
export function compileScript(source: string): CompiledScript {
  const L = lauxlib.luaL_newstate();
  lualib.luaL_openlibs(L);
  let current: Command = () => null;
  lua.lua_newtable(L);
  for (const name of ['call', 'pcall']) {
    lua.lua_pushcfunction(L, (inner) => callRedis(inner, current));
    lua.lua_setfield(L, -2, to_luastring(name));
  }
  lua.lua_pushcfunction(L, (inner) => {
    lua.lua_pushstring(inner, to_luastring(lua.lua_tojsstring(inner, 1)));
    return lua.lua_error(inner);
  });
  lua.lua_setfield(L, -2, to_luastring('error_reply'));
  lua.lua_setglobal(L, to_luastring('redis'));
  if (lauxlib.luaL_loadstring(L, to_luastring(source)) !== lua.LUA_OK) {
    throw new Error(lua.lua_tojsstring(L, -1));
  }
  return (command, keys, args) => {
    current = command;
    setStrings(L, 'KEYS', keys);
    setStrings(L, 'ARGV', args);
    lua.lua_pushvalue(L, 1);
    if (lua.lua_pcall(L, 0, 1, 0) !== lua.LUA_OK) {
      const message = lua.lua_tojsstring(L, -1);
      lua.lua_settop(L, 1);
      throw new Error(message);
    }
    const reply = fromLua(L, -1);
    lua.lua_settop(L, 1);
    return reply;
  };
}

function callRedis(L: State, command: Command): number {
  const args: string[] = [];
  for (let index = 1; index <= lua.lua_gettop(L); index += 1) args.push(argument(L, index));
  try {
    toLua(L, command(args));
    return 1;
  } catch (error) {
    lua.lua_pushstring(L, to_luastring((error as Error).message));
    return lua.lua_error(L);
  }
}

/** Writes a number as Redis does: without an exponent or a needless fraction. */
function argument(L: State, index: number): string {
  if (lua.lua_type(L, index) === lua.LUA_TNUMBER) return String(lua.lua_tonumber(L, index));
  return lua.lua_tojsstring(L, index);
}

function setStrings(L: State, name: string, values: string[]): void {
  toLua(L, values);
  lua.lua_setglobal(L, to_luastring(name));
}

function toLua(L: State, value: Reply): void {
  if (value === null) lua.lua_pushboolean(L, false);
  else if (typeof value === 'boolean') lua.lua_pushboolean(L, value);
  else if (typeof value === 'number') lua.lua_pushnumber(L, value);
  else if (typeof value === 'string') lua.lua_pushstring(L, to_luastring(value));
  else {
    lua.lua_newtable(L);
    for (const [index, item] of value.entries()) {
      toLua(L, item);
      lua.lua_rawseti(L, -2, index + 1);
    }
  }
}

/** Converts as Redis does: truncates numbers, maps false to nil, ends tables at the first nil. */
function fromLua(L: State, index: number): Reply {
  switch (lua.lua_type(L, index)) {
    case lua.LUA_TNUMBER:
      return Math.trunc(lua.lua_tonumber(L, index));
    case lua.LUA_TSTRING:
      return lua.lua_tojsstring(L, index);
    case lua.LUA_TBOOLEAN:
      return lua.lua_toboolean(L, index) ? 1 : null;
    case lua.LUA_TTABLE: {
      const items: Reply[] = [];
      for (let n = 1; n <= lua.lua_rawlen(L, index); n += 1) {
        lua.lua_rawgeti(L, index, n);
        items.push(fromLua(L, -1));
        lua.lua_settop(L, -2);
      }
      return items;
    }
    default:
      return null;
  }
}
