using System.Reflection;
using System.Text;

namespace Gimlet.House.Tests.Support;

/// <summary>The public surface of an assembly as text: one line per type and member, in a stable order.</summary>
internal static class ApiDump
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (Type type in assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            _ = text.Append(Heading(type)).Append('\n');
            foreach (string member in type.GetMembers(All).Select(Line).OfType<string>().Order(StringComparer.Ordinal))
            {
                _ = text.Append("    ").Append(member).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Heading(Type type)
    {
        string kind = type.IsEnum ? $"enum ({Name(Enum.GetUnderlyingType(type))})"
            : type.IsInterface ? "interface"
            : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
            : type.IsValueType ? (type.IsByRefLike ? "ref struct" : "struct")
            : type is { IsAbstract: true, IsSealed: true } ? "static class"
            : type.IsSealed ? "sealed class" : type.IsAbstract ? "abstract class" : "class";
        IEnumerable<Type> bases = type.GetInterfaces().Where(i => i.IsPublic).OrderBy(i => i.FullName, StringComparer.Ordinal);
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType) && parent != typeof(Enum))
        {
            bases = bases.Prepend(parent);
        }

        string list = type.IsEnum ? string.Empty : string.Join(", ", bases.Select(Name));
        return $"{kind} {Name(type)}{(list.Length > 0 ? " : " + list : string.Empty)}";
    }

    private static string? Line(MemberInfo member) => member switch
    {
        FieldInfo { IsPublic: true, IsSpecialName: false, IsLiteral: true } field => $"const {Name(field.FieldType)} {field.Name} = {Constant(field)}",
        FieldInfo field when IsVisible(field.Attributes) && !field.IsSpecialName => $"{(field.IsStatic ? "static " : string.Empty)}{(field.IsInitOnly ? "readonly " : string.Empty)}{Name(field.FieldType)} {field.Name}",
        PropertyInfo property => Property(property),
        EventInfo { AddMethod: { } add } @event when IsVisible(add) => $"event {Name(@event.EventHandlerType!)} {@event.Name}",
        ConstructorInfo constructor when IsVisible(constructor) && !constructor.IsStatic => $"new({Parameters(constructor)})",
        MethodInfo method when IsVisible(method) && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)) && !method.Name.Contains('<', StringComparison.Ordinal) =>
            $"{Modifiers(method)}{Name(method.ReturnType)} {method.Name}{Generics(method)}({Parameters(method)})",
        _ => null,
    };

    private static string? Property(PropertyInfo property)
    {
        MethodInfo? get = Visible(property.GetMethod);
        MethodInfo? set = Visible(property.SetMethod);
        if (get is null && set is null)
        {
            return null;
        }

        bool init = set?.ReturnParameter.GetRequiredCustomModifiers().Any(m => m.Name == "IsExternalInit") == true;
        string index = property.GetIndexParameters().Length > 0 ? $"[{string.Join(", ", property.GetIndexParameters().Select(p => Name(p.ParameterType)))}]" : string.Empty;
        return $"{Modifiers(get ?? set!)}{Name(property.PropertyType)} {property.Name}{index} {{ {(get is null ? string.Empty : "get; ")}{(set is null ? string.Empty : init ? "init; " : "set; ")}}}";
    }

    private static MethodInfo? Visible(MethodInfo? accessor) => accessor is not null && IsVisible(accessor) ? accessor : null;

    private static string Modifiers(MethodInfo method) =>
        method.IsStatic ? "static " : method.IsAbstract ? "abstract " : method is { IsVirtual: true, IsFinal: false } ? (method.GetBaseDefinition() == method ? "virtual " : "override ") : string.Empty;

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p =>
        $"{(p.ParameterType.IsByRef ? p.IsOut ? "out " : p.IsIn ? "in " : "ref " : string.Empty)}{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? " = " + (p.DefaultValue ?? "default") : string.Empty)}"));

    private static string Generics(MethodInfo method) => method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : string.Empty;

    private static string Constant(FieldInfo field) => field.DeclaringType!.IsEnum
        ? Convert.ToInt64(field.GetRawConstantValue(), provider: null).ToString(provider: null)
        : field.GetRawConstantValue() is string text ? $"\"{text}\"" : $"{field.GetRawConstantValue()}";

    private static bool IsVisible(MethodBase method) => method.IsPublic || ((method.IsFamily || method.IsFamilyOrAssembly) && method.DeclaringType is { IsSealed: false });

    private static bool IsVisible(FieldAttributes attributes) => (attributes & FieldAttributes.FieldAccessMask) == FieldAttributes.Public;

    private static string Name(Type type)
    {
        if (type.IsByRef)
        {
            return Name(type.GetElementType()!);
        }

        if (type.IsArray)
        {
            return Name(type.GetElementType()!) + "[]";
        }

        if (type.IsGenericParameter)
        {
            return type.Name;
        }

        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return Name(inner) + "?";
        }

        string name = type.IsNested ? $"{Name(type.DeclaringType!)}.{type.Name}" : type.Namespace?.StartsWith("Gimlet", StringComparison.Ordinal) == true ? type.FullName ?? type.Name : type.Name;
        int tick = name.IndexOf('`', StringComparison.Ordinal);
        return tick < 0 ? name : $"{name[..tick]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
