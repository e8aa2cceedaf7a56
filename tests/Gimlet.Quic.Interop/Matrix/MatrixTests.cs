using System.Reflection;

namespace Gimlet.Quic.Interop.Matrix;

/// <summary>Nothing falls out of the table.</summary>
public sealed class MatrixTests
{
    [Fact]
    public void Every_scenario_has_a_row_and_a_test()
    {
        Scenario[] all = Enum.GetValues<Scenario>();
        Assert.Equal(all, InteropMatrix.Scenarios.Order());
        IEnumerable<Scenario> tested =
            from type in typeof(MatrixTests).Assembly.GetTypes()
            from method in type.GetMethods()
            from data in method.GetCustomAttributes<MemberDataAttribute>()
            where data.MemberName == nameof(InteropMatrix.Cells)
            select (Scenario)data.Arguments![0]!;
        Assert.Equal(all, tested.Order());
    }

    [Fact]
    public void Most_cells_are_required()
    {
        // Of 27 rows of 6; a cell that is given up lowers this on purpose, and not by the way.
        Assert.Equal(148, Enum.GetValues<Scenario>().Sum(scenario => InteropMatrix.Cells(scenario).Count(cell => cell.Skip is null)));
    }
}
